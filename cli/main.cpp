// The program `graft`: options that hold for every command, and errors as exit codes.
// 0: done. 1: failed, with one line on stderr. 2: called wrongly. 130: ended by Ctrl-C, 128 + n by signal n. What the commands
// do is in their own files.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <csignal>
#include <exception>
#include <filesystem>
#include <iostream>
#include <new>

#include "autograd/errors.h"
#include "autograd/threads.h"
#include "cli/commands.h"
#include "cli/interrupt.h"
#include "cli/options.h"

namespace {

int failed(std::string why) {
  const auto control = [](unsigned char c) { return c < 0x20 || c == 0x7f; };
  std::replace_if(why.begin(), why.end(), control, ' ');  // whatever a file or a name contains: one line, and no commands
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
      ->check(graft::cli::whole(1, 1024))
      ->type_name("N");
  graft::cli::Globals globals;
  app.add_flag("--quiet", globals.quiet, "results, warnings and errors only");
  app.require_subcommand(1);
  app.fallthrough();  // so that these options may also stand after the command
  app.footer(
      "`graft COMMAND --help` explains a command, with an example. For a start:\n"
      "  ./run fetch smollm2-135m\n"
      "  ./run graft generate --model smollm2-135m --prompt \"Once upon a time\"");
  graft::cli::add_info(app);
  graft::cli::add_tokenize(app);
  graft::cli::add_logits(app);
  graft::cli::add_generate(app, globals);
  graft::cli::add_evaluate(app, globals);
  graft::cli::add_convert(app, globals);
  graft::cli::add_merge(app, globals);
  graft::cli::add_tune(app, globals);
  graft::cli::add_classify(app);
  graft::cli::add_compare(app, globals);
  graft::cli::add_demo(app, globals);
  graft::cli::add_real(app, globals);

  try {
    app.parse(argc, argv);
  } catch (const CLI::RuntimeError& e) {  // a command's own exit code
    std::cout.flush();
    return e.get_exit_code();
  } catch (const CLI::ParseError& e) {
    if (app.get_subcommands().empty() && app.remaining_size() > 0) {
      std::cerr << "graft: there is no command \"" << app.remaining().front() << "\"; graft --help lists them" << std::endl;
      return 2;
    }
    if (app.exit(e) != 0) return 2;  // help and version come as errors with code 0
  }
  std::cout.flush();
  return std::cout ? 0 : failed("could not write the output");
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const graft::cli::Interrupted& e) {
    std::raise(e.signal);  // caught no longer, so a shell sees that it was this signal
    return 128 + e.signal;
  } catch (const graft::Error& e) { return failed(e.what()); } catch (const std::bad_alloc&) {
    return failed("not enough memory");
  } catch (const std::filesystem::filesystem_error& e) { return failed(e.what()); } catch (const std::exception& e) {
    return failed(std::string("unexpected: ") + e.what());
  }
}
