"""A page of Markdown as the cells of a notebook: see notebooks/README.md. tests/notebook/ reads pages a second time, in C++."""
import dataclasses
import re

FENCE, END, RAISES = "```cpp", "```", "<!-- cell raises -->"


class BadPage(Exception):
    pass


@dataclasses.dataclass
class Cell:
    kind: str  # "markdown" or "code"
    text: str
    raises: bool = False
    line: int = 0  # of the first line of code, counted from 1


def cells(page):
    """The cells of a page's text, in their order. A fence without code is a cell, too: the Chinese page may have such."""
    found, prose, code, raises, began = [], [], None, False, 0

    def end_of_prose():
        text = "\n".join(prose).strip("\n")
        if text.strip():
            found.append(Cell("markdown", text))
        prose.clear()

    for number, line in enumerate(page.split("\n"), 1):
        if code is not None:
            if line == END:
                found.append(Cell("code", "\n".join(code).strip("\n"), raises, began))
                code, raises = None, False
            else:
                code.append(line)
        elif line == FENCE:
            end_of_prose()
            code, began = [], number + 1
        elif raises:
            raise BadPage(f"line {number}: {RAISES} stands on the line before a fence")
        elif line.startswith("```"):
            raise BadPage(f"line {number}: only {FENCE} begins a cell, and there are no other fences; this is {line}")
        elif line == RAISES:
            raises = True
        else:
            prose.append(line)
    if code is not None or raises:
        raise BadPage(f"line {began - 1 if code is not None else number}: what begins here has no end")
    end_of_prose()
    return found


def code(found):
    return [cell for cell in found if cell.kind == "code"]


def filled(english, chinese):
    """The Chinese page with the code of the English one."""
    given, holes = code(cells(english)), code(cells(chinese))
    if len(given) != len(holes):
        raise BadPage(f"it has {len(holes)} cells of code, the English page {len(given)}; an empty fence is enough, but it must be there")
    lines, inside, left = [], False, iter(given)
    for line in chinese.split("\n"):
        if inside:
            inside = line != END
        elif line == FENCE:
            cell, inside = next(left), True
            lines += [RAISES] * cell.raises + [FENCE, *cell.text.split("\n"), END]
        elif line != RAISES:
            lines.append(line)
    return "\n".join(lines)


def linked(prose):
    """Links to other notebooks lead from a page to a page, and from a notebook to a notebook."""
    return re.sub(r"\]\((\d\d-[\w.-]+)\.md(#[^)\s]*)?\)", r"](\1.ipynb\2)", prose)
