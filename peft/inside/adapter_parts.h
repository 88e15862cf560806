// What reading and writing adapter files have in common: the modules of Hugging Face's model, and tensors by name.
#pragma once
#include <map>
#include <set>
#include <string>
#include <vector>

#include "formats/safetensors.h"
#include "nn/names.h"
#include "peft/adapter_file.h"
#include "peft/inside/adapter_config.h"
#include "peft/inside/file_format.h"
#include "peft/wrapper.h"

namespace graft::peft {

/// A Linear, Conv1D or Embedding of Hugging Face's model, and the slots here that it is made of (c_attn: q, k, v).
struct HfModule {
  std::string name;  ///< "transformer.h.0.attn.c_attn"
  std::vector<std::string> paths;
  bool table = false;
  Index in = 0, out = 0;  ///< of all parts together; a table's: rows, dim
};
std::vector<HfModule> hf_modules(const BaseModel& base);
std::string model_type(const BaseModel& base);  ///< "gpt2" or "llama"
/// A parameter's place in the file of Hugging Face's whole model.
FilePlace place_of(const BaseModel& base, const std::string& path);

/// The tensors of a file, taken one by one. What is left at the end is unknown.
class Keys {
 public:
  explicit Keys(const std::string& path) : file_(path) {}
  bool has(const std::string& name) const { return file_.find(name) != nullptr; }
  const formats::TensorEntry* find(const std::string& name) const { return file_.find(name); }
  bool waits(const std::string& name) const { return has(name) && taken_.count(name) == 0; }  ///< there, and not taken yet
  std::vector<std::string> left() const;
  /// Errors: FormatError if it is missing or has another shape; why: what it is for.
  Tensor take(const std::string& name, const Shape& shape, const std::string& why);
  Tensor take(const std::string& name, const std::string& why);  ///< any shape
  /// Errors: FormatError as take(), before which it is called, so that a wrong size does not allocate a lot of memory.
  void expect_shape(const std::string& name, const std::vector<std::int64_t>& shape, const std::string& why) const;
  void expect_all_taken() const;                                 ///< Errors: FormatError names those that were not
  const std::string& path() const { return file_.path(); }
  const std::map<std::string, std::string>& metadata() const { return file_.metadata(); }

 private:
  const formats::TensorEntry& need(const std::string& name, const std::string& why) const;
  formats::Safetensors file_;
  std::set<std::string> taken_;
};

void write_tensors(const std::string& path, const NamedTensors& tensors,
                   const std::map<std::string, std::string>& metadata = {{"format", "pt"}});

/// Rows [part·n/parts, ..) of a matrix or vector; the inverse of stacking.
Tensor rows_part(const Tensor& all, Index part, Index parts);
Tensor stacked(const std::vector<Tensor>& parts);  ///< one after another along the first axis
Tensor transposed(const Tensor& matrix);

/// The variants `name` of base parameters, from or to keys `prefix` + Hugging Face's name (key(path) changes it if needed).
using KeyOf = std::function<std::string(const std::string& path, const std::string& hf_name)>;
void read_variants(const BaseModel& base, const std::string& name, Keys& keys, const KeyOf& key);
void write_variants(const BaseModel& base, const std::string& name, NamedTensors& tensors, const KeyOf& key);
/// Paths of the modules here that modules_to_save means, as PEFT reads it: every module whose name ends with the word, also
/// without a dot ("norm": input_layernorm), and all that is in it. Not the head of a classifier, which attach() trains.
std::vector<std::string> saved_modules(const BaseModel& base, const std::vector<std::string>& words);
nlohmann::json saved_names(const BaseModel& base, const std::vector<std::string>& paths);  ///< back: modules_to_save, or null
/// Embeddings and head that PEFT stores along (save_embedding_layers): the base's own, or other numbers, which replace the
/// base's under `name`. Errors: FormatError: tied weights that differ, or a packed table that would have to be replaced.
void read_tables(const BaseModel& base, const std::string& name, Keys& keys, const std::string& prefix);
/// but_the_head: nor the table, if the two are tied.
void write_tables(const BaseModel& base, const std::string& name, NamedTensors& tensors, const std::string& prefix,
                  bool but_the_head = false);
/// Errors: FormatError names both sizes if the tables of the file have a different number of rows than the model's.
void expect_vocabulary(const BaseModel& base, const Keys& keys, const std::string& prefix);
void read_repeats(Keys& keys);  ///< tensors that PEFT writes twice, which must be equal. Errors: FormatError
/// Errors: FormatError if tensors are left; tells whether the model has such a module, and so which file is wrong.
void expect_all_known(const BaseModel& base, const Keys& keys);
/// What Hugging Face's files call the head: "score", or "classifier" (GPT-2's of tokens); "" on a language model.
std::string head_of_file(const BaseModel& base);
/// The trained copy of the head, weight and bias, under prefix + that name.
void read_head(const BaseModel& base, const std::string& name, Keys& keys, const std::string& prefix);
void write_head(const BaseModel& base, const std::string& name, NamedTensors& tensors, const std::string& prefix);

/// The wrappers of kind W that hold `name`, by the paths of the slots of T that they are in.
template <class W, class T>
std::map<std::string, W*> holders(const BaseModel& base, const std::string& name) {
  std::map<std::string, W*> all;
  for (const auto& slot : base.root.slots<T>()) {
    if (slot.second->empty()) continue;
    for (Module* at = &**slot.second; at != nullptr;) {
      auto* wrapper = dynamic_cast<W*>(at);
      if (wrapper && wrapper->holds(name)) {
        all[slot.first] = wrapper;
        break;
      }
      auto* wraps = dynamic_cast<Wraps<T>*>(at);
      at = wraps ? static_cast<Module*>(&*wraps->base) : nullptr;
    }
  }
  return all;
}

}  // namespace graft::peft
