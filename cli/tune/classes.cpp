#include "cli/tune/classes.h"

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>

#include "formats/file.h"
#include "peft/ensemble.h"
#include "tokenizer/inside/utf8.h"

namespace graft::cli {
namespace {

using nlohmann::json;

std::string joined(const std::vector<std::string>& words) {
  std::string all;
  for (const std::string& word : words) all += (all.empty() ? "" : ", ") + word;
  return all;
}

/// Whether words that begin with this character have a space before them: not in Chinese, Japanese, Thai, Lao, Burmese or Khmer.
bool spaced(char32_t c) {
  if (c < 0x80) return std::isalnum(static_cast<int>(c)) != 0;
  const bool none = (c >= 0xe00 && c < 0xf00) || (c >= 0x1000 && c < 0x10a0) || (c >= 0x1780 && c < 0x1800);
  return (c >= 0xc0 && c < 0x2000 && !none) || (c >= 0xac00 && c < 0xd7b0);  // the latter is Korean
}

/// As it stands in a sentence.
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
                    ": there is no classes.json, so it is not known which classes the adapter ",
                    "tells apart; graft tune writes it when it learns from lines like {\"text\": .., \"label\": ..}");
  const json all = json::parse(formats::read_text(file), nullptr, false);
  try {
    Classes classes{all.at("labels"), all.at("words"), all.value("quantized", false)};
    expect<FormatError>(classes.labels.size() > 1 && (classes.words.empty() || classes.words.size() == classes.labels.size()),
                        file, ": ", classes.labels.size(), " labels, words for ", classes.words.size());
    return classes;
  } catch (const json::exception&) {
    throw FormatError(file + R"(: expected is {"labels": ["..", ..], "words": [["..", ..], ..]})");
  }
}

void give_head(Loaded& loaded, const std::vector<std::string>& labels, Rng& draws) {
  std::unique_ptr<Model> model(loaded.model);
  (void)loaded.root.release();
  (void)model->output().take();  // nobody asks for words any more
  auto classifier = std::make_unique<Classifier>(std::move(model), labels, loaded.pad);
  for (const auto& named : classifier->score->parameters())
    named.second->give(normal(named.second->shape(), 0, real(0.02), draws));
  loaded.classifier = classifier.get();
  loaded.root = std::move(classifier);
}

std::vector<std::vector<std::string>> label_words(const std::vector<std::string>& given,
                                                  const std::vector<std::string>& labels) {
  std::vector<std::vector<std::string>> words;
  std::set<std::string> named;
  for (const std::string& label : labels) words.push_back({in_a_sentence(label)});
  for (const std::string& one : given) {
    const std::size_t equals = one.find('=');
    expect<ValueError>(equals != std::string::npos && equals + 1 < one.size(), "--words \"", one,
                       "\": expected is LABEL=word,word");
    const auto label = std::find(labels.begin(), labels.end(), one.substr(0, equals));
    expect<ValueError>(label != labels.end(), "--words: there is no label \"", one.substr(0, equals), "\" in the data, but ",
                       joined(labels));
    std::vector<std::string>& mine = words[static_cast<std::size_t>(label - labels.begin())];
    if (named.insert(*label).second) mine.clear();  // the label itself is none of its words then
    for (std::size_t at = equals + 1; at <= one.size();) {
      const std::size_t comma = std::min(one.find(',', at), one.size());
      mine.push_back(in_a_sentence(one.substr(at, comma - at)));
      at = comma + 1;
    }
  }
  return words;
}

Variable class_logits(const Loaded& loaded, const peft::Verbalizer* verbalizer, const std::vector<std::string>& prompts,
                      const Framed& user) {
  struct Restore {
    Model& model;
    Selection before;
    ~Restore() { model.selection = before; }
  } const restore{*loaded.model, loaded.model->selection};
  Framed all{user.ids, {}, user.lengths};
  if (!prompts.empty()) {
    loaded.model->selection = {"", peft::rows_for(prompts, user.ids.shape()[0])};
    all.ids = peft::repeated(user.ids, static_cast<Index>(prompts.size()));
    all.lengths.clear();
    for (std::size_t k = 0; k < prompts.size(); ++k)
      all.lengths.insert(all.lengths.end(), user.lengths.begin(), user.lengths.end());
  }
  if (verbalizer) return (*verbalizer)(*loaded.model, all);
  const Framed framed = loaded.model->frame(all);
  return (*loaded.classifier)(framed.ids, framed.lengths);
}

}  // namespace graft::cli
