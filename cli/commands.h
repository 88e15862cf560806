// The commands of the program `graft`: one file and one line here for each. add_x() adds the subcommand x with its options
// and sets its callback; main() turns errors into exit codes.
#pragma once

namespace CLI {
class App;
}

namespace graft::cli {

/// Options that hold for every command.
struct Globals {
  bool quiet = false;  ///< results, warnings and errors only
};

void add_demo(CLI::App& app, const Globals& globals);
void add_info(CLI::App& app);
void add_tokenize(CLI::App& app);
void add_logits(CLI::App& app);
void add_generate(CLI::App& app, const Globals& globals);
void add_evaluate(CLI::App& app, const Globals& globals);
void add_convert(CLI::App& app, const Globals& globals);
void add_merge(CLI::App& app, const Globals& globals);
void add_classify(CLI::App& app);
void add_compare(CLI::App& app, const Globals& globals);
void add_real(CLI::App& app, const Globals& globals);
void add_tune(CLI::App& app, const Globals& globals);

}  // namespace graft::cli
