// What a method did in training: how far LoRA moved each projection and in how many directions, how much attention a
// prefix gets, which words virtual tokens resemble.
//     std::cout << tune::lora_delta(base);
#pragma once
#include <iosfwd>
#include <string>
#include <vector>

#include "peft/method.h"
#include "tokenizer/tokenizer.h"

namespace graft::tune {

/// What LoRA does to one projection.
struct LoraDelta {
  std::string path;
  double norm;                   ///< ‖ΔW‖/‖W‖ (Frobenius)
  std::vector<double> singular;  ///< values of ΔW = s·B·A, the largest first: at most r
};
/// Of all projections that have the adapter of this name ("": the one that is selected). The singular values are those of the r × r
/// matrix between the decompositions of B and A. Errors: ValueError for a name that is not attached
std::vector<LoraDelta> lora_delta(const peft::BaseModel& base, const std::string& name = "");
std::ostream& operator<<(std::ostream& out, const std::vector<LoraDelta>& all);  ///< a line for each

/// By layer and head the share of attention that goes to the prefix that is selected, the mean over the tokens of a batch.
/// Errors: ValueError: the model has no prefix
std::vector<std::vector<double>> prefix_attention(const peft::BaseModel& base, const Batch& user);

/// A virtual token of a prompt, and the words whose rows point most nearly the same way.
struct VirtualToken {
  struct Near {
    std::string word;
    double cosine;
  };
  std::vector<Near> near;
};
/// Of the prompt of this name ("": the one that is selected); empty for a method that has none.
std::vector<VirtualToken> nearest_words(const peft::BaseModel& base, const Tokenizer& tokenizer, const std::string& name = "",
                                        Index count = 3);
std::ostream& operator<<(std::ostream& out, const std::vector<VirtualToken>& all);  ///< a line for each

}  // namespace graft::tune
