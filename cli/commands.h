// The commands of the program `graft`: each has its own file and one line here. add_x() adds the command x with its options
// and sets its callback; main() turns errors into exit codes.
#pragma once

namespace graft::cli {

class Command;

/// Options that apply to every command.
struct Globals {
  bool quiet = false;  ///< results, warnings and errors only
};

void add_demo(const Command& program, const Globals& globals);
void add_info(const Command& program);
void add_tokenize(const Command& program);
void add_logits(const Command& program);
void add_generate(const Command& program, const Globals& globals);
void add_evaluate(const Command& program, const Globals& globals);
void add_convert(const Command& program, const Globals& globals);
void add_merge(const Command& program, const Globals& globals);
void add_classify(const Command& program);
void add_compare(const Command& program, const Globals& globals);
void add_real(const Command& program, const Globals& globals);
void add_tune(const Command& program, const Globals& globals);

}  // namespace graft::cli
