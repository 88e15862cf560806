// graft compare: several methods on one data file, in one table and one report.
#include <algorithm>
#include <filesystem>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "autograd/errors.h"
#include "autograd/threads.h"
#include "cli/commands.h"
#include "cli/compare/comparison.h"
#include "cli/options.h"
#include "cli/tune/settings.h"

namespace graft::cli {
namespace {

struct Options {
  Settings tune;
  std::vector<std::string> methods, set;
  std::vector<std::uint64_t> seeds{1};
  int jobs = 0;
};

/// METHOD.OPTION=VALUE
struct Special {
  std::string method, option, value;
};
Special special(const std::string& word) {
  const std::size_t dot = word.find('.'), equals = word.find('=');
  expect<ValueError>(dot != std::string::npos && equals != std::string::npos && dot < equals, "--set \"", word,
                     "\": expected METHOD.OPTION=VALUE, such as lora.rate=0.001");
  return {word.substr(0, dot), word.substr(dot + 1, equals - dot - 1), word.substr(equals + 1)};
}

/// False for an option that only other methods have.
bool takes(const peft::MethodRow& row, const std::string& option) {
  const auto has = [&](const peft::MethodRow& one) {
    const auto options = peft::options_of(one);
    return std::any_of(options.begin(), options.end(), [&](const peft::OptionInfo& info) { return info.name == option; });
  };
  return has(row) || std::none_of(peft::methods().begin(), peft::methods().end(), has);
}

/// Errors: ValueError if one is listed twice: its trainings would share a folder.
template <class T>
void once(const std::vector<T>& all, const char* option) {
  for (std::size_t i = 0; i < all.size(); ++i)
    expect<ValueError>(std::count(all.begin(), all.end(), all[i]) == 1, option, ": ", all[i], " is listed twice");
}

void compare(const Options& o, const Command& command, const Globals& globals) {
  Settings given = o.tune;
  nlohmann::json options = complete(command, given);
  for (const char* own : {"methods", "set", "seeds", "jobs", "out"}) options.erase(own);
  for (const char* here : {"method", "seed"})
    expect<ValueError>(!options.contains(here), o.tune.config, ": \"", here, "\" cannot be set for a comparison; use --",
                       here, "s");
  once(o.methods, "--methods"), once(o.seeds, "--seeds");
  if (const std::string model = options["model"][0]; std::filesystem::exists(model))
    options["model"] = {std::filesystem::absolute(model).string()};

  const std::string file = std::filesystem::path(given.data).filename().string();
  Comparison comparison;
  comparison.title = text("Methods compared on ", file);
  comparison.command = "graft compare";
  comparison.out = given.out;
  const int cores = threads();
  comparison.jobs = o.jobs > 0 ? o.jobs : std::min(2, cores);
  comparison.threads = std::max(1, cores / comparison.jobs);
  comparison.tasks.push_back({"data", file, ""});
  std::vector<Special> specials;
  for (const std::string& word : o.set) {
    specials.push_back(special(word));
    const Special& one = specials.back();
    expect<ValueError>(std::find(o.methods.begin(), o.methods.end(), one.method) != o.methods.end(), "--set ", word, ": \"",
                       one.method, "\" is not among --methods");
    expect<ValueError>(one.option != "method" && one.option != "seed" && one.option != "out", "--set ", word, ": ", one.option,
                       " is chosen by the comparison");
    expect<ValueError>(command.has("--" + one.option), "--set ", word, ": there is no option --", one.option,
                       "; graft tune --help lists them");
    expect<ValueError>(takes(peft::method_row(one.method), one.option), "--set ", word, ": --", one.option, " does not apply to ",
                       peft::method_row(one.method).title);
    expect<ValueError>(!one.value.empty(), "--set ", word, ": the value is missing");
  }
  for (const std::uint64_t seed : o.seeds)
    for (const std::string& method : o.methods) {
      const peft::MethodRow& row = peft::method_row(method);
      PlannedRun run{"data", method, "", "", "", options, seed};
      for (const peft::MethodRow& other : peft::methods())  // each option goes to the methods that have it
        for (const peft::OptionInfo& option : peft::options_of(other))
          if (!takes(row, option.name)) run.options.erase(option.name);
      const bool by_words = row.by_words || given.answer == "words";
      if (!by_words) run.options.erase("words");
      for (const Special& one : specials) {
        if (one.method != method) continue;
        nlohmann::json& value = run.options[one.option];
        const bool more = one.option == "words" && value.is_array();  // repeatable
        if (more) value.push_back(one.value);
        else value = nlohmann::json::array({one.value});
      }
      comparison.runs.push_back(run);
    }
  const nlohmann::json report = run_all(comparison, globals);
  std::cout << tables(report, false) << "report: " << given.out << "/report.html\n";
}

}  // namespace

void add_compare(const Command& program, const Globals& globals) {
  const auto options = std::make_shared<Options>();
  const Command command = program.add_command("compare", "fine-tune with several methods on one data file, and compare them");
  command.add_option("--methods", options->methods, "the methods, separated by commas; graft tune --help lists them")
      .list()
      .required()
      .type_name("LIST")
      .check([](const std::string& name) -> std::string {
        const auto& all = peft::methods();
        const bool known = std::any_of(all.begin(), all.end(), [&](const peft::MethodRow& row) { return row.word == name; });
        return known ? "" : "there is no method \"" + name + "\"; graft tune --help lists them";
      });
  command.add_option("--seeds", options->seeds, "train each method once with each of these seeds")
      .list()
      .check(whole(0, 2147483647))
      .type_name("LIST")
      .show_default();
  command.add_option("--set", options->set, "an option for one method: lora.rate=0.001; may be repeated")
      .repeatable()
      .type_name("METHOD.OPTION=VALUE");
  command.add_option("--jobs", options->jobs, "trainings at the same time (default: 2, if there are two cores)")
      .check(whole(1, 256))
      .type_name("N");
  add_tune_options(command, options->tune);
  for (const char* not_here : {"--method", "--seed", "--resume", "--dry-run", "--force"})
    command.remove_option(not_here);
  command.footer(
      "The other options are those of graft tune; each applies to the methods that have it. Running the same command again\n"
      "continues a comparison that was stopped.\nExample:\n"
      "  graft compare --model smollm2-135m --data reviews.jsonl --methods probe,lora,prompt --steps 200 --out comparison");
  command.callback([options, command, &globals] { compare(*options, command, globals); });
}

}  // namespace graft::cli
