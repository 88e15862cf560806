#include "cli/command_line.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>
#include <map>
#include <utility>

#include "autograd/errors.h"
#include "autograd/text.h"

namespace graft::cli {

Option Option::required() const { return Option(option_->required()); }
Option Option::check(const Check& check) const { return Option(option_->check(check)); }
Option Option::type_name(const std::string& name) const { return Option(option_->type_name(name)); }
Option Option::group(const std::string& title) const { return Option(option_->group(title)); }
Option Option::show_default() const { return Option(option_->capture_default_str()); }
Option Option::list() const { return Option(option_->delimiter(',')); }
Option Option::repeatable() const { return Option(option_->allow_extra_args(false)); }
Option Option::excludes(const Option& other) const { return Option(option_->excludes(other.option_)); }
Option Option::needs(const Option& other) const { return Option(option_->needs(other.option_)); }
std::size_t Option::count() const { return option_->count(); }

Command Command::add_command(const std::string& name, const std::string& what) const {
  return Command(app_->add_subcommand(name, what));
}
Option Command::add_option(const std::string& name, std::string& value, const std::string& what) const {
  return Option(app_->add_option(name, value, what));
}
Option Command::add_option(const std::string& name, std::function<void(int)> f, const std::string& what) const {
  return Option(app_->add_option_function<int>(name, std::move(f), what));
}
Option Command::add_option(const std::string& name, std::function<void(const std::string&)> f, const std::string& what) const {
  return Option(app_->add_option_function<std::string>(name, std::move(f), what));
}
Option Command::add_option(const std::string& name, std::function<void(const std::vector<std::string>&)> f,
                           const std::string& what) const {
  return Option(app_->add_option_function<std::vector<std::string>>(name, std::move(f), what));
}
Option Command::add_option(const std::string& name, int& value, const std::string& what) const {
  return Option(app_->add_option(name, value, what));
}
Option Command::add_option(const std::string& name, Index& value, const std::string& what) const {
  return Option(app_->add_option(name, value, what));
}
Option Command::add_option(const std::string& name, std::uint64_t& value, const std::string& what) const {
  return Option(app_->add_option(name, value, what));
}
Option Command::add_option(const std::string& name, float& value, const std::string& what) const {
  return Option(app_->add_option(name, value, what));
}
Option Command::add_option(const std::string& name, double& value, const std::string& what) const {
  return Option(app_->add_option(name, value, what));
}
Option Command::add_option(const std::string& name, std::vector<std::string>& value, const std::string& what) const {
  return Option(app_->add_option(name, value, what));
}
Option Command::add_option(const std::string& name, std::vector<std::uint64_t>& value, const std::string& what) const {
  return Option(app_->add_option(name, value, what));
}
Option Command::add_flag(const std::string& name, bool& value, const std::string& what) const {
  return Option(app_->add_flag(name, value, what));
}
void Command::remove_option(const std::string& name) const { app_->remove_option(app_->get_option(name)); }
bool Command::has(const std::string& name) const { return app_->get_option_no_throw(name) != nullptr; }
void Command::footer(const std::string& text) const { app_->footer(text); }
void Command::callback(std::function<void()> f) const { app_->callback(std::move(f)); }

Given Command::given() const {
  Given all;
  for (const CLI::Option* option : app_->get_options())
    if (option->count() > 0 && !option->get_lnames().empty()) all.emplace_back(option->get_lnames()[0], option->results());
  return all;
}

void parse_options(const std::string& source, const std::function<Given(const Command&)>& add) {
  CLI::App app;
  app.set_help_flag();
  std::vector<std::string> words;
  for (const auto& [name, values] : add(Command(&app)))
    for (const std::string& value : values) words.push_back("--" + name + "=" + value);
  std::reverse(words.begin(), words.end());  // CLI11 expects a vector in reverse order
  try {
    app.parse(words);
  } catch (const CLI::ParseError& e) { throw FormatError(text(source, ": ", e.what())); }
}

Given read_toml(const std::string& file) {
  Given all;
  try {
    for (const CLI::ConfigItem& item : CLI::ConfigTOML().from_file(file)) {
      if (item.name == "++" || item.name == "--") continue;  // CLI11's marks for the beginning and end of a section
      expect<FormatError>(item.parents.empty(), file, ": [", item.parents.empty() ? "" : item.parents[0],
                          "] is a section, but options of graft tune are not in sections");
      all.emplace_back(item.name, item.inputs);
    }
  } catch (const CLI::Error& e) { throw FormatError(text(file, ": this is not valid TOML: ", e.what())); }
  return all;
}

void missing(const std::string& what) { throw CLI::RequiredError(what); }
void wrong_call(const std::string& command, const std::string& why) { throw CLI::ValidationError(command, why); }
void end_with(int exit_code) { throw CLI::RuntimeError(exit_code); }

namespace {

/// "; did you mean --steps?" if one of the names is close to the word, or is called so by other programs.
std::string or_rather(const std::string& word, const std::vector<std::string>& names) {
  static const std::map<std::string, std::string> elsewhere{
      {"--lr", "--rate"}, {"--learning-rate", "--rate"}, {"--learning_rate", "--rate"}, {"--rank", "--r"}};
  std::string nearest;
  if (const auto called = elsewhere.find(word);
      called != elsewhere.end() && std::find(names.begin(), names.end(), called->second) != names.end())
    return "; did you mean " + called->second + "?";
  std::size_t least = 2 + word.size() / 4;  // at this distance it is another word
  for (const std::string& name : names)
    if (const std::size_t distance = edits(word, name); distance < least) nearest = name, least = distance;
  return nearest.empty() ? "" : "; did you mean " + nearest + "?";
}

std::vector<std::string> names_of(const std::vector<const CLI::App*>& commands) {
  std::vector<std::string> all;
  for (const CLI::App* command : commands) all.push_back(command->get_name());
  return all;
}

/// The message for words on the line that no option takes.
std::string about(const std::vector<std::string>& words, const CLI::App& program, const CLI::App& command) {
  const auto option = std::find_if(words.begin(), words.end(), [](const std::string& word) { return word[0] == '-'; });
  const std::string called = program.get_name() + " " + command.get_name(), help = " " + called + " --help lists them";
  if (option == words.end()) return called + " takes no argument \"" + words.front() + "\";" + help;
  std::vector<std::string> names;
  for (const CLI::App* app : {&command, &program})
    for (const CLI::Option* one : app->get_options())
      for (const std::string& name : one->get_lnames()) names.push_back("--" + name);
  const std::string word = option->substr(0, option->find('=')), rather = or_rather(word, names);
  return called + " has no option " + word + (rather.empty() ? ";" : rather) + help;
}

}  // namespace

Program::Program(const std::string& name, const std::string& version, const std::string& what)
    : app_(std::make_unique<CLI::App>(what)) {
  app_->name(name);
  app_->set_version_flag("--version", name + " " + version);
  app_->require_subcommand(1);
  app_->fallthrough();  // so that the program's options may also follow the command
}
Program::~Program() = default;

Command Program::command() const { return Command(app_.get()); }

int Program::run(int argc, char** argv) {
  try {
    app_->parse(argc, argv);
  } catch (const CLI::RuntimeError& e) {  // a command's own exit code
    return e.get_exit_code();
  } catch (const CLI::ParseError& e) {
    if (app_->get_subcommands().empty() && app_->remaining_size() > 0) {
      const std::string word = app_->remaining().front();
      const std::string rather = or_rather(word, names_of(std::as_const(*app_).get_subcommands({})));
      std::cerr << app_->get_name() << ": unknown command \"" << word << "\"" << (rather.empty() ? "; " : rather + " ")
                << app_->get_name() << " --help lists them" << std::endl;
      return 2;
    }
    const std::vector<std::string> unknown = app_->remaining(true);
    const bool missing = dynamic_cast<const CLI::RequiredError*>(&e) != nullptr;  // perhaps because it was misspelled
    if ((missing || dynamic_cast<const CLI::ExtrasError*>(&e)) && !unknown.empty() && !app_->get_subcommands().empty()) {
      std::cerr << about(unknown, *app_, *app_->get_subcommands().front()) << std::endl;
      return 2;
    }
    if (app_->exit(e) != 0) return 2;  // help and version arrive as errors with code 0
  }
  return 0;
}

}  // namespace graft::cli
