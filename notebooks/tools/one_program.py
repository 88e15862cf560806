"""All cells of a notebook as one C++17 program: what Cling takes and a compiler does not is found so.

Cells that raise are left out. Functions, types and variables stand at namespace scope in their order, statements in functions between
them, an expression without a semicolon at the end becomes a statement. A cell that defines a name again begins a namespace of its own
inside the one before, where the new name hides the old one.
"""
import re

import page

BLANK = re.compile(r'//[^\n]*|/\*.*?\*/|R"([^(\s]*)\(.*?\)\1"|"(?:\\.|[^"\\\n])*"|(?<![\w])\'(?:\\.|[^\'\\\n])+\'', re.S)
JOINS = re.compile(r"\s*(else|catch|while)\b")
KEYWORD = re.compile(r"(using|typedef|namespace|template|struct|class|enum|union|static_assert|extern|static|constexpr|inline)\b")
STATEMENT = re.compile(r"(if|for|while|do|switch|try|return|throw|delete|new|goto|break|continue|else)\b|\{")
NAME = r"(?:[A-Za-z_]\w*)"
TYPE = rf"(?:(?:const|constexpr|static|inline|unsigned|long|short|signed|volatile|struct)\s+)*(?:::)?{NAME}(?:::{NAME})*(?:<.*?>(?:::{NAME})*)?(?:\s+const)?"
VARIABLE = re.compile(rf"{TYPE}(?:\s*[&*]+\s*|\s+)({NAME})\s*(?=[=;({{,\[])", re.S)
FUNCTION = re.compile(rf"[^=;{{]*?\b({NAME}|operator\W+)\s*\((?:[^{{;]|\{{\}})*\)\s*(?:const|noexcept|->[^{{;]*|\s)*\{{", re.S)


def blanked(code):
    """Strings, characters and comments as spaces of the same length, so that only what means something is left."""
    hide = lambda m: "".join("\n" if c == "\n" else "_" if m[0][0] in "\"'R" else " " for c in m[0])
    return BLANK.sub(hide, code)


def items(code):
    """A cell's pieces at the top level: (text, blanked text, whether it ends as a statement does)."""
    bare, found, start, at, depth = blanked(code), [], 0, 0, 0

    def take(end, whole):
        nonlocal start
        if bare[start:end].strip():
            found.append((code[start:end].strip("\n"), bare[start:end].strip(), whole))
        start = end

    while at < len(bare):
        c = bare[at]
        if c == "#" and not depth and not bare[start:at].strip():
            end = bare.find("\n", at)
            while end > 0 and bare[end - 1] == "\\":
                end = bare.find("\n", end + 1)
            at = end if end >= 0 else len(bare)
            take(at, True)
            continue
        depth += (c in "([{") - (c in ")]}")
        at += 1
        if not depth and (c == ";" and not goes_on(bare[start:at].strip(), bare[at:])
                          or c == "}" and ends_with_brace(bare[start:at].strip(), bare[at:])):
            take(at, True)
    take(len(bare), False)
    return found


def goes_on(item, rest):
    """An if with an else, a try with a catch, a do with a while."""
    follows = JOINS.match(rest)
    return bool(follows) and bool(re.match({"else": "if", "catch": "try", "while": "do"}[follows[1]] + r"\b", item))


def ends_with_brace(item, rest):
    """Is a piece complete that ends with a closing brace? Not an initialiser, or a type that may name a variable."""
    if goes_on(item, rest):
        return False
    if re.match(r"(struct|class|enum|union|typedef)\b", item):
        return False
    if re.match(r"(if|for|while|switch|try|else|do|namespace|template)\b|\{", item):
        return not re.match(r"template.*?>\s*(struct|class)\b", item, re.S)
    return bool(FUNCTION.match(item)) and not re.match(rf"{NAME}(?:::{NAME})*\s*\(", item)


def declared(bare, first):
    """All names of a declaration: `Tensor a, b(3);`."""
    names, depth = [first[1]], 0
    for at in range(first.end(), len(bare)):
        depth += (bare[at] in "([{<") - (bare[at] in ")]}>")
        if bare[at] == "," and not depth:
            names += re.findall(rf"^,[\s&*]*({NAME})", bare[at:])
    return names


def kind(bare, whole):
    """What to do with a piece: 'global', or 'statement'; and the names that it defines."""
    named = re.match(r"(?:struct|class|enum(?: class)?|union|using)\s+(\w+)\s*[={:;]|namespace\s+(\w+)\s*=", bare)
    if bare.startswith("#") or named:
        return "global", [named[1] or named[2]] if named else []
    if not whole or STATEMENT.match(bare):
        return "statement", []
    function = FUNCTION.match(bare)
    if function and bare.endswith("}"):
        return "global", [function[1]]
    variable = VARIABLE.match(bare)
    if variable:
        return "global", declared(bare, variable)
    return "global" if KEYWORD.match(bare) or re.match(r"(const )?auto\b", bare) else "statement", []


def without_captures(text):
    """Lambdas of a piece at namespace scope: what they would capture is global there, and need not be. Those inside their bodies stay."""
    bare, out, depth, at = blanked(text), [], 0, 0
    while at < len(text):
        c = bare[at]
        depth += (c == "{") - (c == "}")
        list_of = re.match(r"\[([^\[\]]*)\](?=\s*[({]|\s*mutable)", bare[at:]) if c == "[" and not depth else None
        if list_of and not re.search(r"[\w)\]]\s*$", bare[:at]):
            kept = [item for item in re.split(r",(?![^(]*\))", text[at + 1 : at + list_of.end(1)]) if re.search(r"\w\s*=", item)]
            out.append(f"[{','.join(kept)}]")
            at += list_of.end()
            continue
        out.append(text[at])
        at += 1
    return "".join(out)


def program(cells, name):
    """The text of the program; #line leads a compiler's messages back to the page."""
    out, defined, spaces, functions = [], set(), 0, 0
    for cell in page.code(cells):
        if cell.raises:
            continue
        pieces = [(text, whole, *kind(bare, whole)) for text, bare, whole in items(cell.text)]
        names = {name for *_, defines in pieces for name in defines}
        if names & defined:
            spaces += 1
            out.append(f"namespace again_{spaces} {{")
            defined = set()
        defined |= names
        seen = 0
        for text, whole, where, _ in pieces:
            at = cell.text.index(text, seen)
            seen, line = at + len(text), cell.line + cell.text.count("\n", 0, at)
            out.append(f'#line {line} "{name}"')
            if where == "global":
                out.append(without_captures(text))
                continue
            functions += 1
            body = text if whole else f"static_cast<void>((\n#line {line} \"{name}\"\n{text}\n));"
            out.append(f"void statements_{functions}() {{\n#line {line} \"{name}\"\n{body}\n}}")
    return "\n".join(out + ["}"] * spaces) + "\n"
