"""What the reader is told when a cell fails."""
import re
import signal

FRESH = "The program was started afresh and has forgotten all variables: run the notebook again from its first cell."

SIGNALS = {
    signal.SIGSEGV: "it used memory that it does not have: a null or dangling pointer, an index out of range, or a recursion without end",
    signal.SIGBUS: "it used memory that it does not have",
    signal.SIGABRT: "abort(): an assertion failed, an exception left a thread or a destructor, or memory was freed twice",
    signal.SIGFPE: "a whole number was divided by 0",
    signal.SIGILL: "it reached what is no instruction: often a function that ends without return",
    signal.SIGKILL: "it was killed from outside: most likely the machine's memory ran out",
}
HINTS = [
    ("function definition is not allowed here", "In a notebook a function has a cell of its own: no other function or statement, and no `using` before it."),
    ("expected '}'", "A brace is open at the end of the cell."),
]


def death(cell, dead):
    """(short name, text)"""
    if dead.killed_by_us:
        return "Interrupted", f"{cell} did not heed the interrupt, so its program was ended. {FRESH}"
    if dead.code < 0:
        try:
            name = signal.Signals(-dead.code).name
        except ValueError:
            name = f"signal {-dead.code}"
        return "Crash", f"{cell} ended the program by {name}: {SIGNALS.get(-dead.code, 'a signal from outside')}. {FRESH}"
    return "Exit", f"{cell} ended the program by exit({dead.code}). {FRESH}"


def no_start(said, dead):
    """The process ended before its first cell."""
    name, text = ("Interrupted", "it was interrupted") if dead.killed_by_us else ("NoStart", f"it ended with code {dead.code}")
    return name, f"the C++ interpreter did not start: {text}. Run the cell again; if that does not help, `./run jupyter` looks after its environment.", said.strip().split("\n")


def compile_error(cell, code, said):
    """(short name, text, lines): of what Clang said, the first error."""
    said = with_right_lines(cell, code, said)
    first = re.search(rf"{re.escape(cell)}:(\d+):\d+: (?:fatal )?error: (.*)", said) or re.search(r":(\d+):\d+: (?:fatal )?error: (.*)", said)
    place = f"{cell}, line {first[1]}: " if first and first[0].startswith(cell) else f"{cell}: "
    text = place + (first[2] if first else "it does not compile")
    lines = said.rstrip().split("\n")
    if len(lines) > 60:
        lines[60:] = [f"… {len(lines) - 60} lines more"]
    lines += [hint for words, hint in HINTS if words in said]
    return "CompileError", text, lines


def with_right_lines(cell, code, said):
    """Cling counts one line too many in some cells that it refuses; the line that it quotes tells."""
    mine = [line.strip() for line in code.split("\n")]

    def put_right(found):
        line, column, quoted = int(found[1]), int(found[2]), found[4].strip()
        if line <= len(mine) + 1 and quoted and (line > len(mine) or mine[line - 1] != quoted) and line > 1 and mine[line - 2] == quoted:
            line, column = line - 1, column - 1
        return f"{cell}:{line}:{column}: {found[3]}\n{found[4]}"

    return re.sub(rf"{re.escape(cell)}:(\d+):(\d+): (.*)\n(.*)", put_right, said)


def exception(kind, text, memory):
    """(short name, text)"""
    name = "Interrupted" if kind.endswith("::Interrupted") else kind
    if kind == "std::bad_alloc" and memory:
        text = f"memory ran out: a notebook here may use {memory / (1 << 30):.1f} GiB (GRAFT_NOTEBOOK_MEMORY says how many MiB)"
    return name, text or f"(a value of type {kind})"
