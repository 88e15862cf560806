"""Does a text compile? Tried in a copy of the process (fork), because Cling does not forget all of a text that is wrong: of templates
that it had begun with, half is left, and the corrected text fails, or runs with that half. So this process only ever compiles what
has compiled before.
"""
import os
import re
import signal
import tempfile

import cell

# First of all that the text does is to leave. A function cannot follow in the same input; where there are only declarations,
# nothing runs anyway.
LEAVE = "int graft_kernel_left = ::xcpp::kernel::leave();\n"
DECLARES = re.compile(r"(template|struct|class|union|enum|namespace|using|typedef|extern|#)\b")
RUNS = re.compile(r"(if|for|while|do|else|switch|try|catch)\b")


def is_function(text):
    """A definition: name(parameters) { .. }, where nothing is assigned before the parameters."""
    depth = 0
    for place, c in enumerate(text):
        if c == "{" and depth == 0:
            before = re.sub(r"\s*(const|noexcept)$", "", text[:place].strip())
            return before.endswith(")") and not RUNS.match(before) and not re.search(r"=|^[^(]*\[", before[:before.find("(")])
        depth += (c in "([{") - (c in ")]}")
    return False


def only_declares(text):
    """Nothing of it runs: functions, types, aliases."""
    return all(s.text.strip() == ";" or DECLARES.match(s.text.strip()) or is_function(s.text.strip()) for s in cell.statements(text))


def compiles(interpreter, place, text):
    """text, whose first line is `place` (#line ..). If not, what Clang says of it goes to stderr."""
    if all(re.match(r"\s*(#\s*include\b|$)", line) for line in cell.blanked(text).split("\n")):
        return True  # nothing is instantiated: there is nothing to be left
    with tempfile.TemporaryFile() as said:
        child = os.fork()
        if child == 0:
            code = 1
            try:
                interpreter.leave_alone()
                os.dup2(said.fileno(), 1)
                os.dup2(said.fileno(), 2)
                code = 0 if interpreter.line(("" if only_declares(text) else LEAVE) + place + text) != "failed" else 1
            finally:
                os._exit(code)
        status = os.waitpid(child, 0)[1]
        if os.WIFSIGNALED(status) and os.WTERMSIG(status) != signal.SIGKILL:
            return True  # a text at which Clang crashes: the kernel knows what to say
        if status == 0:
            return True
        said.seek(0)
        os.write(2, said.read())
        return False
