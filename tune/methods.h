// A fine-tuning method chosen by a word, as a configuration does: "lora", "prefix", ... with its options, attached and grouped
// for the optimizer. The words, and the options of each, are in peft/registry.h.
//     tune::MethodChoice choice{"lora", {{"r", 4}, {"targets", "q,v"}}};
//     const tune::Chosen chosen = tune::attach(base, choice, tokenizer, {}, rng);
//     train::AdamW adam(tune::groups(base, chosen));
#pragma once
#include <string>
#include <vector>

#include "peft/registry.h"
#include "tokenizer/tokenizer.h"
#include "train/optimizer.h"

namespace graft::tune {

struct MethodChoice {
  std::string name = "lora";
  peft::Options options;  ///< missing ones have the method's default
};

/// What is attached now, and whether the base was packed into 4 bits for it.
struct Chosen {
  MethodChoice choice;
  std::vector<peft::Attached> attached;  ///< one; or the prompts of an ensemble
  Index quantized = 0;                   ///< numbers

  std::vector<std::string> names() const;
  std::string title() const;  ///< the name that was chosen, with the method that was made where that has another name
  bool ensemble() const { return attached.size() > 1; }
};

/// labels: of the data's classes, for options that need them. Errors: ValueError: an unknown name, an option that the method
/// does not have, or of a wrong value, and those of peft::attach().
Chosen attach(const peft::BaseModel& base, const MethodChoice& choice, const Tokenizer& tokenizer,
              const std::vector<std::string>& labels, Rng& rng);

/// Parameters with their factors on the learning rate (LoRA+); biases and norms do not decay.
std::vector<train::Group> groups(const peft::BaseModel& base, const Chosen& chosen);

}  // namespace graft::tune
