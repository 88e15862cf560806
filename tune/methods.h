// A fine-tuning method chosen by a word, as a configuration does: "lora", "prefix", ... with its options, attached and grouped
// for the optimizer.
//     tune::MethodChoice choice;  choice.name = "lora", choice.r = 4;
//     const tune::Chosen chosen = tune::attach(base, choice, tokenizer, {}, rng);
//     train::AdamW adam(tune::groups(base, chosen));
#pragma once
#include <map>
#include <string>
#include <vector>

#include "peft/method.h"
#include "tokenizer/tokenizer.h"
#include "train/optimizer.h"

namespace graft::tune {

/// What may be said of a method; 0 and "" mean its default. Options that a method does not have are refused.
struct MethodChoice {
  std::string name = "lora";
  Index r = 0;
  double alpha = 0, dropout = -1, ratio = 0;
  std::vector<std::string> targets;
  std::string init, text, form, activation, encoder, pattern;
  double scale = 0;
  Index length = 0, hidden = 0, size = 0, prompts = 0;
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

/// What a method is made of and put on.
struct Making {
  const peft::BaseModel& base;
  const MethodChoice& choice;
  const Tokenizer& tokenizer;
  const std::vector<std::string>& labels;
  Rng& rng;
  Chosen& chosen;
  template <class Method>
  void put(const Method& method) {
    chosen.attached.push_back(peft::attach(base, method, rng));
  }
};

/// A row of the table of methods; whoever adds one need change nothing else here.
struct MethodKind {
  std::string name;
  void (*put)(Making&);     ///< makes the method of its options and attaches it
  std::string title, page;  ///< "P-tuning v2", "docs/methods/p-tuning-v2.md"
  double rate;              ///< a learning rate to begin with, for AdamW
  std::vector<std::string> options;
  bool generates, classifies;  ///< what it is meant for
};
const std::vector<MethodKind>& method_kinds();
const MethodKind& method_kind(const std::string& name);  ///< Errors: ValueError lists them

/// Errors: ValueError: an unknown name, an option that the method does not have, and those of attach().
Chosen attach(const peft::BaseModel& base, const MethodChoice& choice, const Tokenizer& tokenizer,
              const std::vector<std::string>& labels, Rng& rng);

/// Parameters with their factors on the learning rate (LoRA+); biases and norms do not decay.
std::vector<train::Group> groups(const peft::BaseModel& base, const Chosen& chosen);

}  // namespace graft::tune
