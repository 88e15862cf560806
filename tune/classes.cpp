#include "tune/classes.h"

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>

#include "autograd/sizes.h"
#include "autograd/text.h"
#include "autograd/utf8.h"
#include "formats/file.h"
#include "nn/head.h"
#include "peft/ensemble.h"

namespace graft::tune {
namespace {

using nlohmann::json;

/// Whether words that begin with this character have a space before them: not in Chinese, Japanese, Thai, Lao, Burmese or Khmer.
bool spaced(char32_t c) {
  if (c < 0x80) return std::isalnum(static_cast<int>(c)) != 0;
  const bool none = (c >= 0xe00 && c < 0xf00) || (c >= 0x1000 && c < 0x10a0) || (c >= 0x1780 && c < 0x1800);
  return (c >= 0xc0 && c < 0x2000 && !none) || (c >= 0xac00 && c < 0xd7b0);  // the latter is Korean
}

/// As it is written in a sentence.
std::string in_a_sentence(const std::string& word) {
  return !word.empty() && spaced(utf8::front(word).point) ? " " + word : word;
}

}  // namespace

void save_classes(const Classes& classes, const std::string& folder) {
  const json all{{"labels", classes.labels}, {"words", classes.words}, {"quantized", classes.quantized}};
  formats::write_text(folder + "/classes.json", all.dump(1, ' ', false, json::error_handler_t::replace) + "\n");
}

Classes read_classes(const std::string& folder) {
  const std::string file = folder + "/classes.json";
  expect<FileError>(std::filesystem::exists(file), folder,
                    ": there is no classes.json, so the adapter's classes are unknown; ",
                    "graft tune writes it when it trains on lines like {\"text\": .., \"label\": ..}");
  const json all = json::parse(formats::read_text(file), nullptr, false);
  try {
    Classes classes{all.at("labels"), all.at("words"), all.value("quantized", false)};
    expect<FormatError>(classes.labels.size() > 1 && (classes.words.empty() || classes.words.size() == classes.labels.size()),
                        file, ": ", classes.labels.size(), " labels, words for ", classes.words.size());
    return classes;
  } catch (const json::exception&) {
    throw FormatError(file + R"(: expected {"labels": ["..", ..], "words": [["..", ..], ..]})");
  }
}

void make_classifier(Loaded& base, const std::vector<std::string>& labels, Rng& rng) {
  expect<ValueError>(labels.size() > 1, "a classifier needs at least two labels, not ", labels.size());
  (void)put_head(base, HeadOf::sequences, labels);
  for (const auto& named : base.classifier->score->parameters())
    named.second->set(normal(named.second->shape(), 0, real(0.02), rng));
}

std::vector<std::vector<std::string>> label_words(const std::vector<std::string>& labels,
                                                  const std::map<std::string, std::vector<std::string>>& given) {
  for (const auto& [label, words] : given)
    expect<ValueError>(std::find(labels.begin(), labels.end(), label) != labels.end(), "label words: there is no label \"", label,
                       "\" in the data, but ", joined(labels));
  std::vector<std::vector<std::string>> all;
  for (const std::string& label : labels) {
    const auto own = given.find(label);
    all.emplace_back();
    for (const std::string& word : own == given.end() ? std::vector<std::string>{label} : own->second)
      all.back().push_back(in_a_sentence(word));
  }
  return all;
}

Variable class_logits(const peft::BaseModel& base, const peft::Verbalizer* verbalizer, const std::vector<std::string>& prompts,
                      const Batch& user) {
  const WithSelection restored(base.model, base.model.selection());
  if (!prompts.empty()) base.model.select(Selection(peft::rows_for(prompts, user.rows())));
  const Batch all = prompts.empty() ? user : peft::repeated(user, size_of(prompts));
  if (verbalizer) return (*verbalizer)(base.model, all);
  auto* classifier = dynamic_cast<Classifier*>(&base.root);
  expect<ValueError>(classifier != nullptr, base.root.kind(), " has no classification head; make_classifier() adds one");
  return (*classifier)(all);
}

}  // namespace graft::tune
