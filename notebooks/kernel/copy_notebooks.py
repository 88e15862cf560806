"""copy_notebooks.py FROM TO [NAME]: the notebooks of the folder FROM as files that a reader may change. Prints which one NAME means.

They come without outputs, since they ask the reader to predict, and their links lead to TO/repository: the pages and sources beside
FROM, to be read, not changed. A file that was changed in TO is never written over: if FROM has a newer one, that comes beside it as
NAME.new.ipynb.
"""
import hashlib
import json
import os
import shutil
import sys
from pathlib import Path

READ = (".md", ".h", ".cpp", ".svg", ".png")
FOLDERS = ("autograd", "bench", "cmake", "docs", "formats", "lesson", "nn", "peft", "show", "tests", "tokenizer", "train", "tune")


def checksum(data):
    return hashlib.sha256(data).hexdigest()


def to_do(file):
    """The notebook as a reader gets it."""
    book = json.loads(file.read_text())
    for cell in book["cells"]:
        if cell["cell_type"] == "code":
            cell["outputs"], cell["execution_count"] = [], None
        else:
            text = "".join(cell["source"])
            cell["source"] = text.replace("](../", "](repository/")
    return (json.dumps(book, indent=1, ensure_ascii=False) + "\n").encode()


def copy_repository(root, target):
    """Pages and sources, read-only; what was there before goes."""
    new, place = target / ".repository.new", target / "repository"
    for old in (new, place):
        if old.exists():
            for folder, _, _ in os.walk(old):
                os.chmod(folder, 0o755)
            shutil.rmtree(old)
    for file in [*root.glob("*.md"), *(f for name in FOLDERS for f in sorted((root / name).rglob("*")))]:
        if file.suffix in READ and file.is_file():
            mine = new / file.relative_to(root)
            mine.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, mine)
            mine.chmod(0o444)
    if new.exists():
        new.rename(place)


def copy(source, target):
    """What to tell the reader, in lines."""
    target.mkdir(parents=True, exist_ok=True)
    memory = target / ".from-graft.json"  # the checksum of each file as it was copied
    try:
        copied = json.loads(memory.read_text())
    except (OSError, ValueError):
        copied = {}
    told = []
    for file in sorted(source.glob("*.ipynb")):
        mine, data = target / file.name, to_do(file)
        now, there = checksum(data), checksum(mine.read_bytes()) if mine.exists() else None
        if there in (None, now, copied.get(file.name)):
            if there != now:
                mine.write_bytes(data)
            copied[file.name] = now
        elif copied.get(file.name) != now:
            beside = target / f"{file.stem}.new.ipynb"
            beside.write_bytes(data)
            copied[file.name] = now
            told.append(f"{mine} is kept as you changed it; the new one is {beside.name}")
    part = memory.with_suffix(".part")
    part.write_text(json.dumps(copied, indent=1) + "\n")
    part.replace(memory)
    return told


def named(target, name):
    """The notebook that NAME means: of that name, or the only one whose name has it inside."""
    name = Path(name).name
    all_names = sorted(f.name for f in target.glob("*.ipynb"))
    for exact in (name, name + ".ipynb", name.removesuffix(".md") + ".ipynb"):
        if exact in all_names:
            return exact
    found = [n for n in all_names if name in n]
    plain = [n for n in found if not n.endswith((".zh.ipynb", ".new.ipynb"))] or found
    if len(plain) != 1:
        sys.exit(f"run: {'several notebooks have' if plain else 'no notebook has'} \"{name}\" in their names; there are {', '.join(all_names)}")
    return plain[0]


def main():
    source, target, name = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3] if len(sys.argv) > 3 else ""
    try:
        for line in copy(source, target):
            print("run:", line, file=sys.stderr)
        copy_repository(source.parent, target)
    except OSError as error:
        sys.exit(f"run: the notebooks cannot be copied to {target}: {error}; GRAFT_NOTEBOOKS names another folder")
    if name:
        print(named(target, name))


if __name__ == "__main__":
    main()
