"""What a cell's text says before any compiler sees it: its blocks, its last expression, and what no kernel for C++ would take."""
import re
from dataclasses import dataclass

OPENS_A_BLOCK = re.compile(r"(if|for|while|do|else|switch|try|catch|struct|class|union|enum|namespace|template|extern)\b")
NO_EXPRESSION = re.compile(r"(template|struct|class|union|enum|namespace|using|typedef|extern|static|constexpr|const|auto|return|"
                           r"if|for|while|do|else|switch|try|case|default|goto|break|continue|static_assert)\b")
ASSIGNMENT = re.compile(r"([A-Za-z_]\w*)\s*=(?!=)")
MAGIC = {"%": "a magic", "!": "a shell command", "?": "a question for help"}


class Refused(Exception):
    """Text that is not sent to Cling. line counts from 1 within the cell."""

    def __init__(self, line, what):
        super().__init__(what)
        self.line = line


@dataclass
class Statement:
    start: int   # where it begins in the code
    text: str    # without comments, literals blanked
    depth_ended: bool  # by ; or a block's }


def blanked(code, literals=True):
    """The code with comments and the insides of literals (unless told not to) made spaces; as long as it was, line ends kept."""
    out, i, n = [], 0, len(code)

    def take(end, keep=0):
        nonlocal i
        end = min(end if end >= 0 else n, n)
        part = code[i:end]
        keep = keep if literals or keep == 0 else len(part)
        out.append(part[:keep] + "".join(c if c == "\n" else " " for c in part[keep:len(part) - keep]) + part[len(part) - keep:]
                   if len(part) >= 2 * keep else part)
        i = end

    while i < n:
        c = code[i]
        raw = re.compile(r'(u8|[uUL])?R"([^()\\\s]{0,16})\(').match(code, i) if c in 'uULR' and not (i and re.match(r"\w", code[i - 1])) else None
        if raw:
            end = code.find(")" + raw[2] + '"', raw.end())
            take(end + len(raw[2]) + 2, 1) if end >= 0 else take(n)
        elif code.startswith("//", i):
            take(code.find("\n", i))
        elif code.startswith("/*", i):
            end = code.find("*/", i + 2)
            take(end + 2 if end >= 0 else n)
        elif c == '"' or (c == "'" and not (i and code[i - 1].isalnum() and re.search(r"\b\d[\w.']*$", code[:i][-40:]))):
            end = i + 1
            while end < n and code[end] != c and code[end] != "\n":
                end += 2 if code[end] == "\\" else 1
            take(end + 1, 1)
        else:
            out.append(c)
            i += 1
    return "".join(out)


def for_cling(code):
    """Cling counts brackets before Clang reads a text, and takes the ' of 10'000 or of a comment for the start of a character."""
    plain, bare = blanked(code), blanked(code, literals=False)
    separators = {m.start() for m in re.finditer(r"(?<=[0-9A-Fa-f])'(?=[0-9A-Fa-f])", plain)}
    return "".join(c for i, c in enumerate(bare) if i not in separators)


def statements(code):
    """The statements at the top level of the code, and what is left at its end."""
    plain, found, start, depth, i = blanked(code), [], 0, 0, 0
    block = []  # for each open brace: does its } end a statement?
    while i < len(plain):
        c = plain[i]
        if c == "#" and not plain[plain.rfind("\n", 0, i) + 1:i].strip():  # a directive, with its continued lines
            while True:
                end = plain.find("\n", i)
                end = len(plain) if end < 0 else end
                i, more = end + 1, plain[i:end].endswith("\\")
                if not more:
                    break
            if depth == 0:
                start = i
            continue
        if c in "([{":
            before = plain[start:i].strip() if depth == 0 else ""
            block.append(c == "{" and depth == 0 and (before == "" or bool(OPENS_A_BLOCK.match(before)) or
                                                      (bool(re.search(r"(\)|\)\s*(const|noexcept)|->\s*[\w:<>&* ]+)$", before)) and "[" not in before)))
            depth += 1
        elif c in ")]}":
            depth = max(0, depth - 1)
            ends = block.pop() if block else False
            if depth == 0 and c == "}" and ends:
                found.append(Statement(start, plain[start:i + 1], True))
                start = i + 1
        elif c == ";" and depth == 0:
            found.append(Statement(start, plain[start:i + 1], True))
            start = i + 1
        i += 1
    if plain[start:].strip():
        found.append(Statement(start, plain[start:], False))
    return found


def line_of(code, place):
    return code.count("\n", 0, place) + 1


def place_of(code, place):
    """Line, from 1, and column, from 0."""
    return line_of(code, place), place - code.rfind("\n", 0, place) - 1


def first_line(code, statement):
    return line_of(code, statement.start + len(statement.text) - len(statement.text.lstrip()))


def refuse_magics(code):
    for s in statements(code):
        sign = s.text.lstrip()[:1]
        if sign in MAGIC:
            raise Refused(first_line(code, s), f"{MAGIC[sign]} ({sign}…) is not C++, and this kernel has none" +
                          ("; a negation can be written `not x`" if sign == "!" else ""))


def refuse_bindings(code):
    """Cling loses the names, or the program with them."""
    for s in statements(code):
        if re.match(r"(const\s+)?auto\s*&{0,2}\s*\[", s.text.strip()):
            raise Refused(first_line(code, s), "a structured binding at the top level of a cell is lost after it: bind one name, "
                          "`auto both = …`, or write it within a block")


def refuse_brackets(code):
    """Those that have no partner: Cling would wait for the rest of an open one."""
    plain = re.sub(r"(?m)^[ \t]*#(.*\\\n)*.*$", lambda m: re.sub(r"[^\n]", " ", m[0]), blanked(code))  # no directives
    stack, partner = [], {")": "(", "]": "[", "}": "{"}
    for place, c in enumerate(plain):
        if c in "([{":
            stack.append((c, place))
        elif c in partner:
            if not stack:
                raise Refused(line_of(code, place), f"this `{c}` closes nothing")
            if stack[-1][0] != partner[c]:
                raise Refused(line_of(code, place), f"this `{c}` would close the `{stack[-1][0]}` of line {line_of(code, stack[-1][1])}")
            stack.pop()
    if blanked(code + "\n;")[-1] != ";":
        last = len(blanked(code).rstrip())
        place = last + len(code[last:]) - len(code[last:].lstrip())
        raise Refused(line_of(code, place), "a comment or a raw string is still open at the end of the cell")
    if stack:
        sign, place = stack[-1]
        raise Refused(line_of(code, place), f"this `{sign}` is still open at the end of the cell")


def blocks(code):
    """(line, text): runs of lines that are #include, and runs of others, as xeus-cling hands them to Cling."""
    found, kind = [], None
    for number, line in enumerate(code.split("\n"), 1):
        is_include = bool(re.match(r"\s*#\s*include\b", line))
        if not line.strip() and found:
            found[-1][1].append(line)
            continue
        if is_include != kind:
            found.append((number, []))
            kind = is_include
        found[-1][1].append(line)
    return [(number, "\n".join(lines)) for number, lines in found if blanked("\n".join(lines)).strip()]


def last_expression(code):
    """Where the expression begins that ends the code without a semicolon, and where it ends; None: there is none."""
    rest = statements(code)[-1:]
    if not rest or rest[0].depth_ended:
        return None
    text = rest[0].text
    start = rest[0].start + len(text) - len(text.lstrip())
    if NO_EXPRESSION.match(text.strip()):
        return None
    return start, rest[0].start + len(text.rstrip())


def assignments(code):
    """(line, name) of each `name = …;` at the top level whose name the code does not have before."""
    plain, found = blanked(code), []
    if re.search(r"\busing\s+namespace\b", plain):
        return []  # who knows what that brings
    for s in statements(code):
        m = ASSIGNMENT.match(s.text.strip())
        if m and not re.search(rf"\b{m[1]}\b", plain[:s.start]):
            found.append((first_line(code, s), m[1]))
    return found
