"""The .ipynb of a page: made without nbformat, so that the same page always gives the same bytes."""
import json

import page

METADATA = {
    "kernelspec": {"display_name": "C++17", "language": "C++17", "name": "xcpp17"},
    "language_info": {"codemirror_mode": "text/x-c++src", "file_extension": ".cpp", "mimetype": "text/x-c++src",
                      "name": "c++", "version": "17"},
}


def fnv(text):
    """FNV-1a, 64 bits: what tests/notebook/ computes as well."""
    value = 0xCBF29CE484222325
    for byte in text.encode():
        value = (value ^ byte) * 0x100000001B3 % 2**64
    return f"{value:016x}"


def code_hash(sources):
    """Says to which code outputs belong."""
    return fnv("".join(source + "\0" for source in sources))


def lines(text):
    return text.splitlines(keepends=True)


def made(cells):
    """A notebook without outputs. An id depends on a cell's text alone, and on how many of that text came before."""
    book = {"cells": [], "metadata": {**METADATA, "graft": {}}, "nbformat": 4, "nbformat_minor": 5}
    seen = {}
    for cell in cells:
        text = page.linked(cell.text) if cell.kind == "markdown" else cell.text
        key = cell.kind + text
        seen[key] = seen.get(key, 0) + 1
        out = {"cell_type": cell.kind, "id": fnv(f"{key}\0{seen[key]}")[:8], "metadata": {}, "source": lines(text)}
        if cell.kind == "code":
            out.update(execution_count=None, outputs=[])
            if cell.raises:
                out["metadata"] = {"tags": ["raises-exception"]}
        book["cells"].append(out)
    return book


def code_cells(book):
    return [cell for cell in book["cells"] if cell["cell_type"] == "code"]


def sources(book):
    return ["".join(cell["source"]) for cell in code_cells(book)]


def with_outputs(book, outputs, hashes):
    """outputs: a list for each cell of code. hashes: of what they were made from, beside the code itself."""
    for number, (cell, its) in enumerate(zip(code_cells(book), outputs, strict=True), 1):
        cell.update(execution_count=number, outputs=[tidy(output, number) for output in its])
    book["metadata"]["graft"] = {"code": code_hash(sources(book)), **hashes}
    return book


def outputs(book):
    """Those of its cells, or None if they are not outputs of its code."""
    if book["metadata"].get("graft", {}).get("code") != code_hash(sources(book)):
        return None
    return [cell["outputs"] for cell in code_cells(book)]


def tidy(output, number):
    """As nbformat writes it: texts as lists of lines; no ids that differ from run to run."""
    output = {key: value for key, value in output.items() if key != "transient"}
    if output["output_type"] == "execute_result":
        output["execution_count"] = number
    if "text" in output:
        output["text"] = split(output["text"])
    if "data" in output:
        output["data"] = {kind: split(data) if isinstance(data, (str, list)) else data for kind, data in output["data"].items()}
    return output


def split(text):
    return lines("".join(text))


def written(book):
    return json.dumps(book, ensure_ascii=False, indent=1, sort_keys=True) + "\n"
