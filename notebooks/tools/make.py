#!/usr/bin/env python3
"""make.py [NAME..]: makes the notebooks of the pages beside this folder, or of those that have a NAME in theirs.

The Chinese page's fences are filled from the English page. Outputs are kept while the code is the one that gave them. Needs nothing
but Python.
"""
import json
import sys
from pathlib import Path

import notebook
import page

HERE = Path(__file__).resolve().parent.parent


def stems(names, folder=HERE):
    """04-lora for each English page that has one of the names in its own; of all, if there are no names."""
    every = sorted(path.name[:-3] for path in folder.glob("[0-9][0-9]-*.md") if not path.name.endswith(".zh.md"))
    for name in names:
        if not any(name in stem for stem in every):
            sys.exit(f"notebooks: no page has \"{name}\" in its name; there are {', '.join(every) or 'none'}")
    return [stem for stem in every if not names or any(name in stem for name in names)]


def read(path):
    return path.read_text(encoding="utf-8")


def write(path, text):
    """At once or not at all, and not at all if nothing changes."""
    if path.exists() and read(path) == text:
        return
    new = path.with_name("." + path.name + ".new")
    new.write_text(text, encoding="utf-8")
    new.replace(path)


def pages(stem, folder=HERE):
    """[(path of the notebook, its cells)], the English one first. Fills the Chinese page."""
    english, chinese = folder / f"{stem}.md", folder / f"{stem}.zh.md"
    try:
        found = [(folder / f"{stem}.ipynb", page.cells(read(english)))]
    except page.BadPage as bad:
        sys.exit(f"{english.name}, {bad}")
    for number, cell in enumerate(page.code(found[0][1]), 1):
        if not cell.text.strip():
            sys.exit(f"{english.name}, line {cell.line}: cell {number} is empty")
    if chinese.exists():
        try:
            write(chinese, page.filled(read(english), read(chinese)))
            found.append((folder / f"{stem}.zh.ipynb", page.cells(read(chinese))))
        except page.BadPage as bad:
            sys.exit(f"{chinese.name}, {bad}")
    return found


def make(stem, folder=HERE, outputs=None, hashes=None):
    """Writes the notebooks of a page, with these outputs, or with those that are there if they fit. True if they have outputs."""
    books = [(path, notebook.made(cells)) for path, cells in pages(stem, folder)]
    if outputs is None:
        outputs, hashes = kept(books[0])
    for path, book in books:
        write(path, notebook.written(notebook.with_outputs(book, outputs, hashes) if outputs is not None else book))
    return outputs is not None


def kept(path_and_book):
    """(outputs, hashes) of the notebook on the disk, if its code is that of the book; (None, None) otherwise."""
    path, book = path_and_book
    if not path.exists():
        return None, None
    try:
        old = json.loads(read(path))
        if notebook.sources(old) != notebook.sources(book):
            return None, None
        return notebook.outputs(old), {key: value for key, value in old["metadata"]["graft"].items() if key != "code"}
    except (ValueError, KeyError, TypeError):
        return None, None  # not a notebook: made afresh


if __name__ == "__main__":
    for name in stems(sys.argv[1:]):
        if not make(name):
            print(f"{name}: made, without outputs; ./run notebooks --write {name} runs it")
