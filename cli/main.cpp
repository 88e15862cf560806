// The program `graft`: options that hold for every command, and errors as exit codes.
// 0: done. 1: failed, with one line on stderr. 2: called wrongly. What the commands do is in their own files.
#include <CLI/CLI.hpp>
#include <exception>
#include <iostream>

#include "autograd/errors.h"
#include "autograd/threads.h"
#include "cli/commands.h"

namespace {

int failed(const std::string& why) {
  std::cerr << "graft: " << why << std::endl;
  return 1;
}

int run(int argc, char** argv) {
  CLI::App app{"graft: a small deep-learning framework to read, and fine-tuning grafted on frozen models"};
  app.name("graft");
  app.set_version_flag("--version", std::string("graft ") + GRAFT_VERSION);
  app.add_option_function<int>(
         "--threads", [](int n) { graft::threads(n); },  // before any command runs
         "how many threads to compute with (default: all cores)")
      ->check(CLI::Range(1, 1024))
      ->type_name("N");
  app.require_subcommand(1);
  app.fallthrough();  // so that these options may also stand after the command
  graft::cli::add_demo(app);

  try {
    app.parse(argc, argv);
  } catch (const CLI::RuntimeError& e) {  // a command's own exit code
    return e.get_exit_code();
  } catch (const CLI::ParseError& e) {
    if (app.exit(e) != 0) return 2;  // help and version come as errors with code 0
  }
  std::cout.flush();
  return std::cout ? 0 : failed("could not write the output");
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const graft::Error& e) { return failed(e.what()); } catch (const std::exception& e) {
    return failed(std::string("unexpected: ") + e.what());
  }
}
