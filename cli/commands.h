// The commands of the program `graft`: one file and one line here for each. add_x() adds the subcommand x with its options
// and sets its callback; main() turns errors into exit codes.
#pragma once

namespace CLI {
class App;
}

namespace graft::cli {

void add_demo(CLI::App& app);

}  // namespace graft::cli
