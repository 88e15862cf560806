// The list of all methods: a row for each word that `graft tune --method` knows. The row says all that others need to know of
// a method: options, help texts, the tables of docs and reports, and adapter files follow from it.
// Adding a method: write its row beside it, as Ia3::rows() in ia3.cpp, and name that in registry.cpp. docs/add-a-method.md
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "peft/method.h"
#include "peft/options.h"

namespace graft::peft {

struct FileFormat;  ///< inside/file_format.h

struct MethodRow {
  std::string word;         ///< "lora"
  std::string title, page;  ///< "LoRA", "docs/methods/lora.md"
  double rate;              ///< a learning rate to begin with, for AdamW
  std::shared_ptr<const Method> (*make)(OptionReader&);  ///< takes its options; without any it makes the default
  const FileFormat* file;  ///< how adapters of it are written and read; null: no file holds them
  bool generates = true;   ///< is it meant for language models, which answer in words?
  bool classifies = true;  ///< and for classifiers, which answer by a head?
  bool by_words = false;   ///< does it predict classes by label words by default?
  Index (*prepare)(const BaseModel&) = nullptr;  ///< prepares the base (QLoRA packs it); returns how many numbers
  Index (*copies)(OptionReader&) = nullptr;      ///< how many copies are attached together (an ensemble); null: one
};

/// make() of a method that has no options.
template <class M>
std::shared_ptr<const Method> plain(OptionReader&) {
  return std::make_shared<M>();
}

const std::vector<MethodRow>& methods();
const MethodRow& method_row(const std::string& word);  ///< Errors: ValueError lists the known ones

std::vector<OptionInfo> options_of(const MethodRow& row);
/// Errors: ValueError: an option that the method does not have, or a value out of its range.
void expect_options(const MethodRow& row, const Options& options);

}  // namespace graft::peft
