// Uses a folder that graft tune wrote.
//     tune::TextClassifier reviews("smollm2-135m.gguf", "my-reviews");
//     const auto said = reviews("The soup was cold.");
//     std::cout << said.label << ' ' << said.probability << '\n';
// Of a language model the adapter is put on by put_on(), and nn/generate.h writes.
#pragma once
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "nn/load.h"
#include "peft/adapter_file.h"
#include "peft/verbalizer.h"
#include "tune/classes.h"
#include "tune/texts.h"

namespace graft::tune {

/// Attaches what the folder holds: the adapter, or all prompts of an ensemble, under their own names. Returns the names; of an
/// ensemble the first is selected. Errors: as peft::load_adapter()
std::vector<std::string> put_on(Loaded& base, const std::string& folder, const peft::AdapterOptions& reading = {});

class TextClassifier {
 public:
  struct Options {
    TextOptions around;
    peft::AdapterOptions reading;
    std::function<void(const std::string&)> note;  ///< called with what the files leave open, and with what a text lost
  };
  /// adapter: a folder of graft tune, or an adapter of PEFT with a head. It may be empty, and then the model must be a classifier.
  /// Errors: FileError, FormatError, ValueError, as load_model(), read_classes() and peft::load_adapter()
  explicit TextClassifier(const std::string& model, const std::string& adapter = "") : TextClassifier(model, adapter, Options()) {}
  TextClassifier(const std::string& model, const std::string& adapter, const Options& options);
  TextClassifier(TextClassifier&&) = default;

  struct Answer {
    std::string label;
    double probability;  ///< of an ensemble the mean
  };
  Answer operator()(const std::string& text) const;  ///< Errors: ValueError for a text without tokens
  const std::vector<std::string>& labels() const { return classes_.labels; }

 private:
  std::function<void(const std::string&)> note_;
  Loaded base_;
  Tokenizer tokenizer_;
  Texts around_;
  Classes classes_;
  std::vector<std::string> ensemble_;
  std::optional<peft::Verbalizer> verbalizer_;
};

}  // namespace graft::tune
