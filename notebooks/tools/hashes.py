"""What the outputs of a notebook were made from, in a few digits each. Different digits alone are no fault: ./run notebooks runs the
notebook anyway, and says that its outputs are old and still right."""
import hashlib

FOLDERS = ("autograd", "formats", "tokenizer", "nn", "peft", "train", "tune", "show", "lesson", "notebooks")


def digits(paths, root):
    whole = hashlib.sha256()
    for path in sorted(paths):
        whole.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return whole.hexdigest()[:12]


def of(stem, root):
    """Public headers are those at the top of a folder, notebook.h among them; everything else that is compiled is the library."""
    headers = [path for folder in FOLDERS for path in (root / folder).glob("*.h")]
    library = [path for folder in FOLDERS for end in ("h", "cpp") for path in (root / folder).rglob("*." + end)]
    return {"page": digits([root / "notebooks" / f"{stem}.md"], root), "headers": digits(headers, root),
            "library": digits(set(library) - set(headers), root)}


def old(committed, now):
    """The kinds of sources that have changed."""
    return [kind for kind in now if committed.get(kind) != now[kind]]
