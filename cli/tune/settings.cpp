#include "cli/tune/settings.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "autograd/text.h"
#include "cli/options.h"
#include "cli/tune/manifest.h"
#include "formats/file.h"

namespace graft::cli {
namespace {

const std::set<std::string> about_the_call{"config", "resume", "dry-run", "force", "help", "threads", "quiet"};

/// An option in help texts: several methods may have it, each with its own text and default.
struct SharedOption {
  using Takers = std::vector<std::pair<std::string, std::string>>;  ///< "8" and "lora, dora"
  std::string name, type;
  std::vector<Check> checks;
  std::vector<std::pair<std::string, Takers>> said;  ///< "the rank" and the methods with that text
};

/// The value of the key, added if missing.
template <class T>
T& at_key(std::vector<std::pair<std::string, T>>& all, const std::string& key) {
  for (auto& [name, value] : all)
    if (name == key) return value;
  return all.emplace_back(key, T()).second;
}

/// All options of all methods, in order.
std::vector<SharedOption> method_options() {
  std::vector<SharedOption> all;
  for (const peft::MethodRow& row : peft::methods())
    for (const peft::OptionInfo& info : peft::options_of(row)) {
      auto option = std::find_if(all.begin(), all.end(), [&](const SharedOption& one) { return one.name == info.name; });
      if (option == all.end()) option = all.insert(all.end(), {info.name, info.type, {}, {}});
      option->checks.push_back(info.check);
      std::string& words = at_key(at_key(option->said, info.what), info.usual);
      words += (words.empty() ? "" : ", ") + row.word;
    }
  return all;
}

/// "lora, dora: the rank (8)"; "prefix, prompt: how many virtual tokens (prefix: 10; prompt: 20)"
std::string help_of(const SharedOption& option) {
  std::string help;
  for (const auto& [what, takers] : option.said) {
    std::string who, usual;
    for (const auto& [value, words] : takers) {
      who += (who.empty() ? "" : ", ") + words;
      if (!value.empty()) usual += text(usual.empty() ? "" : "; ", takers.size() > 1 ? words + ": " : "", value);
    }
    help += text(help.empty() ? "" : "; ", who, ": ", what, usual.empty() ? "" : " (" + usual + ")");
  }
  return help;
}

void add_method_options(const Command& command, tune::MethodChoice& choice) {
  std::vector<std::string> words;
  for (const peft::MethodRow& row : peft::methods()) words.push_back(row.word);
  command.add_option("--method", choice.name, joined(words))
      .check(one_of(words))
      .type_name("NAME")
      .show_default()
      .group("Method");
  for (const SharedOption& one : method_options()) {
    const Check right_for_some = [checks = one.checks](const std::string& value) {  // for the chosen one: see expect_options()
      for (const Check& check : checks)
        if (check(value).empty()) return std::string();
      return checks.front()(value);
    };
    const auto keep = [&choice, name = one.name](const auto& value) { choice.options[name] = value; };
    using List = std::function<void(const std::vector<std::string>&)>;
    using Word = std::function<void(const std::string&)>;
    const std::string name = "--" + one.name, help = help_of(one);
    const Option option = one.type == "LIST" ? command.add_option(name, List(keep), help).list()
                                             : command.add_option(name, Word(keep), help).check(right_for_some);
    option.type_name(one.type).group("Method");
  }
}

/// {"r": 8, "targets": ["q", "v"], "cut": true}
Given from_json(const std::string& file, const nlohmann::json& object) {
  expect<FormatError>(object.is_object(), file,
                      ": expected one JSON object of options, {\"method\": \"lora\", \"r\": 8, ..}");
  Given all;
  for (const auto& [key, value] : object.items()) {
    std::vector<std::string> words;
    const auto word = [&, name = key](const nlohmann::json& v) {
      expect<FormatError>(v.is_primitive() && !v.is_null(), file, ": \"", name, "\" is ", v.type_name(),
                          "; expected a string, a number, true, false or a list of them");
      words.push_back(v.is_string() ? v.get<std::string>() : v.dump());
    };
    if (value.is_array())
      for (const nlohmann::json& one : value) word(one);
    else word(value);
    expect<FormatError>(!words.empty(), file, ": \"", key, "\" is an empty list");
    all.emplace_back(key, std::move(words));
  }
  return all;
}

Given read_config(const std::string& file) {
  const std::string content = formats::read_text(file);
  const std::size_t first = content.find_first_not_of(" \t\r\n");
  const std::size_t second = first == std::string::npos ? first : content.find_first_not_of(" \t\r\n", first + 1);
  const bool list = second != std::string::npos && content[first] == '[' && (content[second] == '{' || content[second] == ']');
  if (first == std::string::npos || (content[first] != '{' && !list)) return read_toml(file);
  const nlohmann::json object = nlohmann::json::parse(content, nullptr, false);
  expect<FormatError>(!object.is_discarded(), file, ": it begins like JSON, but is not valid JSON");
  return from_json(file, object);
}

}  // namespace

void add_tune_options(const Command& command, Settings& s) {
  command.add_option("--model", s.model, "a model: a folder, a .gguf file, or a name that ./run fetch knows")
      .check(filled())
      .type_name("MODEL");
  command.add_option("--data", s.data, "the training data: a .jsonl, .json, .csv or .tsv file, or text")
      .check(filled())
      .type_name("FILE");
  command.add_option("--out", s.out, "a folder for the adapter, checkpoints and results")
      .check(filled())
      .type_name("DIR");
  add_method_options(command, s.method);
  const auto option = [&](const char* name, auto& value, const char* what, const Check& check, const char* type,
                          const char* group) {
    return command.add_option(name, value, what).check(check).type_name(type).group(group);
  };
  const auto flag = [&](const char* name, bool& value, const char* what, const char* group) {
    command.add_flag(name, value, what).group(group);
  };
  const char* data = "Data";
  option("--validation", s.validation, "held-out data, of the same kind (default: a part of --data)", filled(), "FILE", data);
  option("--test", s.test,
         "data of the same kind for the score and the samples only, while the held-out data choose the best "
         "parameters (default: the held-out data do both)",
         filled(), "FILE", data);
  option("--split", s.split, "share of --data that is held out", number(0, 0.9), "P", data).show_default();
  option("--length", s.length,
         "tokens of an example, at most; text is packed into such windows (default: the room in "
         "the context, at most 512)",
         whole(2, 1000000), "N", data);
  flag("--cut", s.cut, "cut longer examples, which are refused otherwise", data);
  flag("--by-line", s.by_line, "for a text file: each line is an example, padded to the longest in its batch", data);
  add_bos_options(command, s.around.bos, s.around.no_bos, "each text", data);
  const Option system = command.add_option("--system", s.around.system,
                                           "for chats: the system turn of those without one (default: that of the model's own "
                                           "template, if that is ChatML)");
  system.type_name("TEXT").group(data);
  command.add_flag("--no-system", s.around.no_system, "for chats: add no system turn").excludes(system).group(data);
  option("--answer", s.answer, "for classes: by a trained head, or by label words (default: words for p-tuning, else head)",
         one_of({"head", "words"}), "head|words", data);
  command.add_option("--words", s.words, "a class's label words: LABEL=word,word; may be repeated (default: the label itself)")
      .repeatable()
      .type_name("LABEL=WORDS")
      .group(data);
  const char* training = "Training";
  option("--batch", s.batch, "examples in one backward pass", whole(1, 100000), "N", training).show_default();
  option("--accumulate", s.accumulate, "batches in one step", whole(1, 100000), "N", training).show_default();
  option("--steps", s.steps, "optimizer steps (default: given by --epochs)", whole(1, 1000000000), "N", training);
  option("--epochs", s.epochs, "passes over all examples", number(1e-6, 1e6), "X", training).show_default();
  option("--optimizer", s.optimizer, "adamw, sgd, adafactor or paged-adamw",
         one_of({"adamw", "sgd", "adafactor", "paged-adamw"}), "NAME", training)
      .show_default();
  option("--budget", s.budget, "paged-adamw: MiB of moments that may be in memory", number(2, 1e6), "MIB", training)
      .show_default();
  std::map<double, std::string> usual;  // rate -> the methods that have it
  for (const peft::MethodRow& row : peft::methods()) usual[row.rate] += (usual[row.rate].empty() ? "" : ", ") + row.word;
  std::string rates;
  for (const auto& [rate, names] : usual) rates += text(rates.empty() ? "" : "; ", names, ": ", rate);
  option("--rate", s.rate, ("the learning rate (default, " + rates + ")").c_str(), above(0), "X", training);
  option("--schedule", s.schedule, "cosine, linear or constant", one_of({"cosine", "linear", "constant"}), "NAME", training)
      .show_default();
  option("--warmup", s.warmup, "warm-up steps; below 1, a share of all steps, rounded up", number(0, 1e9), "N", training)
      .show_default();
  option("--clip", s.clip, "largest norm of the gradient; 0: no clipping", number(0, 1e9), "X", training)
      .show_default();
  option("--decay", s.decay, "weight decay, for matrices only", number(0, 1), "X", training).show_default();
  flag("--recompute", s.recompute,
       "keep only the inputs of each block and run it again in backward: less memory, a third more time", training);
  option("--seed", s.seed, "seed of all random numbers", whole(0, 2147483647), "N", training).show_default();
  const char* watching = "Watching";
  option("--evaluate-every", s.evaluate_every, "steps between evaluations on the held-out data (default: a tenth of all)",
         whole(1, 1000000000), "N", watching);
  option("--patience", s.patience, "stop after this many evaluations in a row without improvement", whole(1, 1000000), "N",
         watching);
  option("--save-every", s.save_every, "steps between checkpoints (default: at each evaluation)",
         whole(1, 1000000000), "N", watching);
  option("--samples", s.samples, "sample outputs in the result", whole(0, 1000), "N", watching).show_default();
  option("--score", s.score, "held-out examples to answer for the score, at most", whole(1, 1000000), "N", watching)
      .show_default();
  flag("--trace", s.trace,
       "also write the start (adapter and parameters) and every batch into trace/, so that another program can train the same",
       watching);
  option("--config", s.config, "a TOML or JSON file of these options; the command line takes precedence", filled(), "FILE",
         "Run");
  option("--resume", s.resume, "resume the run in this folder, as if it had never stopped", filled(), "DIR", "Run");
  flag("--dry-run", s.dry_run, "print what would be trained, with an estimate of memory and time, and stop", "Run");
  flag("--force", s.force, "replace the run that --out holds", "Run");
}

nlohmann::json complete(const Command& command, Settings& s) {
  expect<ValueError>(s.config.empty() || s.resume.empty(), "--resume continues a run as it was; --config cannot change it");
  Given given;
  std::optional<Texts> begun_texts;
  if (!s.config.empty()) given = read_config(s.config);
  if (!s.resume.empty()) {
    for (const auto& [name, words] : command.given())
      expect<ValueError>(about_the_call.count(name) != 0, "--resume continues a run as it was; --", name,
                         " cannot change it");
    const std::string file = s.resume + "/run.json";
    const std::optional<Manifest> begun = tune::read_run(file);
    expect<FileError>(begun.has_value(), "--resume: ", s.resume, " holds no run of graft tune: ", file,
                      std::filesystem::exists(file) ? " is not a run file" : " does not exist");
    given = from_json(file, begun->options);
    begun_texts = begun->texts;
  }
  const Given explicit_ones = command.given();
  nlohmann::json all = nlohmann::json::object();
  for (const Given* some : std::initializer_list<const Given*>{&given, &explicit_ones})  // the command line takes precedence
    for (const auto& [name, words] : *some)
      if (about_the_call.count(name) == 0) all[name] = words;
  if (!given.empty()) {
    Settings fresh;
    const std::string& source = s.config.empty() ? s.resume : s.config;
    parse_options(source, [&](const Command& parser) {
      add_tune_options(parser, fresh);
      Given wanted;
      for (const auto& [name, values] : given) {
        expect<FormatError>(parser.has("--" + name) && about_the_call.count(name) == 0, source, ": \"", name,
                            "\" is not an option of graft tune; graft tune --help lists them");
        const auto same = [name = name](const auto& other) { return other.first == name; };
        if (std::any_of(explicit_ones.begin(), explicit_ones.end(), same)) continue;
        for (const std::string& value : values) expect<FormatError>(!value.empty(), source, ": \"", name, "\" is empty");
        wanted.emplace_back(name, values);
      }
      for (const auto& [name, values] : explicit_ones)
        if (about_the_call.count(name) == 0 && parser.has("--" + name)) wanted.emplace_back(name, values);  // not compare's own
      return wanted;
    });
    if (!s.resume.empty()) fresh.texts = begun_texts, fresh.begun_before = !begun_texts;
    fresh.config = s.config, fresh.resume = s.resume, fresh.dry_run = s.dry_run, fresh.force = s.force;
    s = fresh;
  }
  if (!s.resume.empty()) s.out = s.resume;
  const auto needed = [&](const std::string& value, const char* option) {
    expect<ValueError>(!value.empty(), "tune: ", option, " is missing; graft tune --help shows an example");
  };
  needed(s.model, "--model"), needed(s.data, "--data");
  if (!s.dry_run) needed(s.out, "--out");
  for (std::string* file : {&s.data, &s.validation, &s.test}) {
    if (file->empty()) continue;
    expect<FileError>(!std::filesystem::exists(*file) || std::filesystem::is_regular_file(*file), *file,
                      " is not a regular file; data is read more than once, so save a pipe to a file first");
    *file = std::filesystem::absolute(*file).lexically_normal().string();  // --resume may be called from elsewhere
  }
  for (const auto& [name, file] : {std::pair{"data", &s.data}, {"validation", &s.validation}, {"test", &s.test}})
    if (all.contains(name)) all[name] = {*file};
  return all;
}

}  // namespace graft::cli
