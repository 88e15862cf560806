#include "tune/text_classifier.h"

#include <filesystem>

#include "autograd/sizes.h"
#include "nn/generate.h"
#include "peft/ensemble.h"
#include "peft/quantize.h"

namespace graft::tune {

namespace fs = std::filesystem;

std::vector<std::string> put_on(Loaded& base, const std::string& folder, const peft::AdapterOptions& reading) {
  std::vector<std::string> names;
  for (fs::path one; fs::exists(one = fs::path(folder) / text("prompt-", names.size()));) {
    names.push_back(text("prompt-", names.size()));
    peft::load_adapter(peft::BaseModel(base), one.string(), names.back(), reading);
  }
  if (names.empty()) names.push_back(peft::load_adapter(base, folder, "default", reading).name);
  else peft::select(base, names[0]);
  return names;
}

TextClassifier::TextClassifier(const std::string& model, const std::string& adapter, const Options& options)
    : note_(options.note ? options.note : [](const std::string&) {}),
      base_(load_model(model)),
      tokenizer_(load_tokenizer_of(model)),
      around_(texts_with_adapter(base_, tokenizer_, options.around, adapter.empty() ? model : adapter)) {
  for (const std::string& note : base_.notes) note_(note);
  for (const std::string& warning : tokenizer_.parts().warnings) note_(warning);
  const auto holds = [](const std::string& folder, const char* file) { return fs::exists(fs::path(folder) / file); };
  if (adapter.empty() && base_.classifier) {
    classes_.labels = base_.classifier->labels;
    return;
  }
  if (!adapter.empty() && !holds(adapter, "classes.json") && holds(adapter, "adapter_config.json") &&
      peft::describe_adapter(adapter).task == "SEQ_CLS") {  // of PEFT: the head says how many classes there are
    peft::load_adapter(base_, adapter, "default", options.reading);
    classes_.labels = base_.classifier->labels;
    return;
  }
  expect<ValueError>(!adapter.empty() || holds(model, "classes.json"), model,
                     " has no classification head; name an adapter that was tuned on labels");
  classes_ = read_classes(adapter.empty() ? model : adapter);
  if (classes_.quantized) (void)peft::quantize(peft::BaseModel(base_));
  Rng none(0);
  if (classes_.words.empty() && !base_.classifier) make_classifier(base_, classes_.labels, none);  // its numbers: the adapter's
  if (!adapter.empty()) ensemble_ = put_on(base_, adapter, options.reading);
  if (ensemble_.size() < 2) ensemble_.clear();
  if (!classes_.words.empty()) verbalizer_.emplace(classes_.words, tokenizer_, base_.model->vocabulary());
}

TextClassifier::Answer TextClassifier::operator()(const std::string& words) const {
  const NoGrad constant;
  const Evaluating no_dropout(*base_.root);
  std::vector<Id> ids = encode(tokenizer_, words, note_);
  expect<ValueError>(!ids.empty(), "classify: \"", words, "\" gives no tokens");
  around_.put_begin(ids);
  const Tensor logits = class_logits(base_, verbalizer_ ? &*verbalizer_ : nullptr, ensemble_, padded({ids})).value();
  const peft::Votes said = peft::vote(logits, std::max<Index>(1, size_of(ensemble_)));
  const Id label = said.majority[0];
  return {classes_.labels.at(static_cast<std::size_t>(label)), static_cast<double>(said.probabilities[label])};
}

}  // namespace graft::tune
