// The program `graft`: options that apply to every command, and errors as exit codes.
// 0: success. 1: failure, with one line on stderr. 2: wrong usage. 130: ended by Ctrl-C, 128 + n by signal n. The commands
// are in their own files.
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
  constexpr std::size_t most = 4000;  // text quoted from a file may be of any length
  if (why.size() > most) {
    std::size_t end = most;
    while (end > 0 && (why[end] & 0xc0) == 0x80) --end;  // do not cut a character
    why = why.substr(0, end) + " ...";
  }
  const auto control = [](unsigned char c) { return c < 0x20 || c == 0x7f; };
  std::replace_if(why.begin(), why.end(), control, ' ');  // text from files stays on one line, without terminal commands
  for (std::size_t i = 0; i + 1 < why.size(); ++i)        // nor those that terminals know as U+0080 to U+009F
    if (why[i] == '\xc2' && (why[i + 1] & 0xe0) == 0x80) why.replace(i, 2, "  ");
  std::cerr << "graft: " << why << std::endl;
  return 1;
}

int run(int argc, char** argv) {
  graft::cli::Program program("graft", GRAFT_VERSION,
                              "graft: a small deep-learning framework to read, and fine-tuning grafted on frozen models");
  const graft::cli::Command line = program.command();
  line.add_option("--threads", [](int n) { graft::threads(n); }, "how many threads to compute with (default: all cores)")
      .check(graft::cli::whole(1, 1024))
      .type_name("N");
  graft::cli::Globals globals;
  line.add_flag("--quiet", globals.quiet, "results, warnings and errors only");
  line.footer(
      "`graft COMMAND --help` explains a command, with an example. For a start:\n"
      "  ./run fetch smollm2-135m\n"
      "  ./run graft generate --model smollm2-135m --prompt \"Once upon a time\"");
  graft::cli::add_info(line);
  graft::cli::add_tokenize(line);
  graft::cli::add_logits(line);
  graft::cli::add_generate(line, globals);
  graft::cli::add_evaluate(line, globals);
  graft::cli::add_convert(line, globals);
  graft::cli::add_merge(line, globals);
  graft::cli::add_tune(line, globals);
  graft::cli::add_classify(line);
  graft::cli::add_compare(line, globals);
  graft::cli::add_demo(line, globals);
  graft::cli::add_real(line, globals);

  const int code = program.run(argc, argv);
  std::cout.flush();
  if (code != 0) return code;
  return std::cout ? 0 : failed("could not write the output");
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const graft::cli::Interrupted& e) {
    std::raise(e.signal);  // no longer caught, so a shell sees that it was this signal
    return 128 + e.signal;
  } catch (const graft::Error& e) { return failed(e.what()); } catch (const std::bad_alloc&) {
    return failed("not enough memory");
  } catch (const std::filesystem::filesystem_error& e) { return failed(e.what()); } catch (const std::exception& e) {
    return failed(std::string("unexpected: ") + e.what());
  }
}
