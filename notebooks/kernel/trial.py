"""Does a text compile? Tried in a copy of the process (fork), because Cling does not forget all of a text that is wrong: of templates
that it had begun with, half is left, and the corrected text fails, or runs with that half. So this process only ever compiles what
has compiled before.
"""
import os
import re
import signal
import tempfile

import cell

# First of all that the text does is to leave, before any initializer of its own. Cling puts what a text does into a function of its
# own: all of it, or what comes after a class in front; nothing if namespace, template or extern is in front. LEAVE must not move that.
LEAVE = "int graft_kernel_left = ::xcpp::kernel::left<0>; "
IN_NAMESPACE = "namespace graft_kernel_leaves { template <int> int now = ::xcpp::kernel::leave(); template int now<0>; }\n"
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


def leaving(place, text):
    """place and text, with LEAVE. A function has none: it is all that its text may have, and nothing of it runs."""
    found = [s for s in cell.statements(text) if s.text.strip()]
    first = next((s.text.strip() for s in found if s.text.strip() != ";"), "")
    if is_function(first):
        return place + text
    if re.match(r"(namespace|template|extern)\b", first):
        return IN_NAMESPACE + place + text
    if re.match(r"(struct|class|union|enum)\b", first) and first.endswith("}"):
        after = next((i + 1 for i, s in enumerate(found) if s.text.strip() == first), 0)
        if len(found) <= after + 1:  # the class, and ; or a variable of it
            return IN_NAMESPACE + place + text + ("" if found[-1].depth_ended else "\n;")
        if found[after].text.strip() != ";":
            return place + text  # Cling will refuse it
        end = found[after].start + len(found[after].text)
        line, name = re.match(r"#line (\d+) (.*)\n", place).groups()
        return f"{place}{text[:end]}\n{LEAVE}\n#line {int(line) + text.count(chr(10), 0, end)} {name}\n{text[end:]}"
    return LEAVE + "\n" + place + text


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
                code = 0 if interpreter.line(leaving(place, text)) != "failed" else 1
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
