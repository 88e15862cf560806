// The command line: commands, their options, and what was given. Implemented with CLI11, in command_line.cpp only, since its
// templates take longer to compile than everything else in a command.
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "autograd/check.h"
#include "autograd/real.h"

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace graft::cli {

/// Options by their long names, without "--", each with its values.
using Given = std::vector<std::pair<std::string, std::vector<std::string>>>;

/// An option of a command; a handle, to be copied.
class Option {
 public:
  explicit Option(CLI::Option* option) : option_(option) {}

  Option required() const;
  Option check(const Check& check) const;
  Option type_name(const std::string& name) const;  ///< for the help text: "N", "FILE"
  Option group(const std::string& title) const;     ///< of the help text
  Option show_default() const;                      ///< in the help text: the variable's current value
  Option list() const;                              ///< values separated by commas
  Option repeatable() const;                        ///< several times, with one value each
  Option excludes(const Option& other) const;
  Option needs(const Option& other) const;
  std::size_t count() const;  ///< how many values were given

 private:
  CLI::Option* option_;
};

/// A command, or the program itself; a handle, to be copied.
class Command {
 public:
  explicit Command(CLI::App* app) : app_(app) {}

  Command add_command(const std::string& name, const std::string& what) const;
  /// "--name", or "NAME" for a positional argument. The variable must live until the line is parsed.
  Option add_option(const std::string& name, std::string& value, const std::string& what) const;
  /// f is called while the line is parsed, before any command runs.
  Option add_option(const std::string& name, std::function<void(int)> f, const std::string& what) const;
  Option add_option(const std::string& name, std::function<void(const std::string&)> f, const std::string& what) const;
  Option add_option(const std::string& name, std::function<void(const std::vector<std::string>&)> f,
                    const std::string& what) const;
  Option add_option(const std::string& name, int& value, const std::string& what) const;
  Option add_option(const std::string& name, Index& value, const std::string& what) const;
  Option add_option(const std::string& name, std::uint64_t& value, const std::string& what) const;
  Option add_option(const std::string& name, float& value, const std::string& what) const;
  Option add_option(const std::string& name, double& value, const std::string& what) const;
  Option add_option(const std::string& name, std::vector<std::string>& value, const std::string& what) const;
  Option add_option(const std::string& name, std::vector<std::uint64_t>& value, const std::string& what) const;
  Option add_flag(const std::string& name, bool& value, const std::string& what) const;
  void remove_option(const std::string& name) const;
  bool has(const std::string& name) const;  ///< "--name"
  void footer(const std::string& text) const;
  void callback(std::function<void()> f) const;  ///< called once the whole line is parsed

  Given given() const;

 private:
  CLI::App* app_;
};

/// Parses options that were not given on the command line: `add` adds them to a separate command and returns what was given.
/// Errors: FormatError, beginning with `source`.
void parse_options(const std::string& source, const std::function<Given(const Command&)>& add);

/// The options of a TOML file. Errors: FileError, FormatError.
Given read_toml(const std::string& file);

// How a command ends early; all three are thrown as exceptions.
[[noreturn]] void missing(const std::string& what);                                  ///< "what is required", exit code 2
[[noreturn]] void wrong_call(const std::string& command, const std::string& why);  ///< exit code 2
[[noreturn]] void end_with(int exit_code);

/// The program: its command holds the others.
class Program {
 public:
  Program(const std::string& name, const std::string& version, const std::string& what);
  ~Program();

  Command command() const;
  /// Parses the line and calls the command's callback. Returns the exit code; errors in the line are reported on stderr.
  int run(int argc, char** argv);

 private:
  std::unique_ptr<CLI::App> app_;
};

}  // namespace graft::cli
