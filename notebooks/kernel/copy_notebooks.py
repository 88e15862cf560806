"""copy_notebooks.py FROM TO [NAME]: the notebooks of the folder FROM as files that a reader may change. Prints which one NAME means.

A file that was changed in TO is never written over: if FROM has a newer one, that comes beside it as NAME.new.ipynb.
"""
import hashlib
import json
import shutil
import sys
from pathlib import Path


def checksum(file):
    return hashlib.sha256(file.read_bytes()).hexdigest()


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
        mine, now = target / file.name, checksum(file)
        if not mine.exists() or checksum(mine) in (now, copied.get(file.name)):
            if not mine.exists() or checksum(mine) != now:
                shutil.copyfile(file, mine)
            copied[file.name] = now
        elif copied.get(file.name) != now:
            beside = target / f"{file.stem}.new.ipynb"
            shutil.copyfile(file, beside)
            copied[file.name] = now
            told.append(f"{mine} is kept as you changed it; the new one is {beside.name}")
    part = memory.with_suffix(".part")
    part.write_text(json.dumps(copied, indent=1) + "\n")
    part.replace(memory)
    return told


def trust(source, target):
    """JupyterLab shows the pictures of a notebook that nobody has changed since it came from here."""
    import nbformat
    from nbformat.sign import NotebookNotary
    notary = NotebookNotary()
    for file in sorted(source.glob("*.ipynb")):
        mine = target / file.name
        if checksum(mine) == checksum(file):
            book = nbformat.read(mine, 4)
            if not notary.check_signature(book):
                notary.sign(book)
    notary.store.close()


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
        trust(source, target)
    except OSError as error:
        sys.exit(f"run: the notebooks cannot be copied to {target}: {error}; GRAFT_NOTEBOOKS names another folder")
    if name:
        print(named(target, name))


if __name__ == "__main__":
    main()
