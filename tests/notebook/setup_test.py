#!/usr/bin/env python3
"""setup_test.py PREFIX: what `./run jupyter` does before there is a notebook: an environment that is broken, a network that is not there, the reader's copy.

Needs nothing of Python's but its own library and nbformat; fetches nothing.
"""
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "notebooks" / "kernel"))
import copy_notebooks  # noqa: E402

PREFIX = Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "build" / "notebook").resolve()
KERNEL = next(PREFIX.rglob("graft/kernel"), PREFIX)


def expect(ok, *words):
    if not ok:
        raise AssertionError(" ".join(str(w) for w in words))


def a_broken_environment_and_no_network(folder):
    """It says what is broken, that it begins anew, and at once that nothing can be fetched, and what."""
    broken = folder / "graft" / "venv-notebook"
    (broken / "bin").mkdir(parents=True)
    (broken / "made-for").write_text("something\n")
    (broken / "bin" / "python").write_text("#!/bin/sh\necho \"ModuleNotFoundError: No module named 'ipykernel'\" >&2\nexit 1\n")
    (broken / "bin" / "python").chmod(0o755)
    nowhere = {"PIP_INDEX_URL": "http://127.0.0.1:9/simple", "PIP_EXTRA_INDEX_URL": "", "PIP_FIND_LINKS": "", "PIP_CONFIG_FILE": os.devnull}
    began = time.monotonic()
    done = subprocess.run([ROOT / "run", "jupyter", "--prepare"], env={**os.environ, **nowhere, "XDG_CACHE_HOME": str(folder)}, capture_output=True, text=True)
    said = done.stderr
    expect(done.returncode != 0, "it goes on")
    expect("does not work (ModuleNotFoundError: No module named 'ipykernel'); it is made afresh" in said, said)
    expect("cannot be reached" in said and "cppyy==2.4.2" in said and "jupyterlab==" in said, said)
    expect(time.monotonic() - began < 60, "that took", time.monotonic() - began, "s")
    expect((broken / "bin" / "python").exists(), "what there was is thrown away before there is anything new")


def notebook(text):
    return json.dumps({"cells": [{"cell_type": "code", "id": "a", "execution_count": 1, "metadata": {}, "source": text, "outputs": [
        {"output_type": "display_data", "data": {"image/svg+xml": "<svg/>"}, "metadata": {}}]}], "metadata": {}, "nbformat": 4, "nbformat_minor": 5})


def given(text):
    """The same as a reader gets it."""
    book = json.loads(notebook(text))
    book["cells"][0].update(outputs=[], execution_count=None)
    return json.dumps(book, indent=1) + "\n"


def what_a_reader_changed_is_kept(folder):
    source, target = folder / "notebooks", folder / "mine"
    source.mkdir()
    for name in ("00-a.ipynb", "01-b.ipynb", "01-b.zh.ipynb"):
        (source / name).write_text(notebook("1"))
    expect(copy_notebooks.copy(source, target) == [], "it speaks of a first copy")
    expect(sorted(f.name for f in target.glob("*.ipynb")) == ["00-a.ipynb", "01-b.ipynb", "01-b.zh.ipynb"], list(target.iterdir()))
    (target / "01-b.ipynb").write_text(notebook("the reader's"))
    (target / "own.ipynb").write_text(notebook("own"))
    expect(copy_notebooks.copy(source, target) == [], "it speaks though nothing is new")
    for name in ("00-a.ipynb", "01-b.ipynb"):
        (source / name).write_text(notebook("2"))
    told = copy_notebooks.copy(source, target)
    expect(len(told) == 1 and "01-b.ipynb is kept" in told[0] and "01-b.new.ipynb" in told[0], told)
    expect("the reader's" in (target / "01-b.ipynb").read_text() and (target / "00-a.ipynb").read_text() == given("2"), "written over")
    expect((target / "01-b.new.ipynb").read_text() == given("2") and "own" in (target / "own.ipynb").read_text(), "the new one is missing")
    expect(copy_notebooks.copy(source, target) == [], "it says so again")
    (target / "00-a.ipynb").unlink()
    copy_notebooks.copy(source, target)
    expect((target / "00-a.ipynb").exists(), "a notebook that was deleted does not come back")
    (target / ".from-graft.json").write_text("{")  # damaged: everything counts as the reader's
    copy_notebooks.copy(source, target)
    expect("the reader's" in (target / "01-b.ipynb").read_text(), "written over, for the memory was damaged")


def a_name_finds_its_notebook(folder):
    for name in ("01-b.ipynb", "01-b.zh.ipynb", "01-b.new.ipynb", "11-c.ipynb"):
        (folder / name).write_text(notebook("1"))
    for name, found in [("01", "01-b.ipynb"), ("01-b", "01-b.ipynb"), ("01-b.zh", "01-b.zh.ipynb"), ("notebooks/01-b.md", "01-b.ipynb"), ("c", "11-c.ipynb")]:
        expect(copy_notebooks.named(folder, name) == found, name, "finds", copy_notebooks.named(folder, name))
    for name, why in [("1", "several notebooks have"), ("lora", "no notebook has")]:
        try:
            expect(False, name, "finds", copy_notebooks.named(folder, name))
        except SystemExit as no:
            expect(why in str(no) and "11-c.ipynb" in str(no), no)


def nothing_is_given_away_and_links_lead_somewhere(folder):
    """No outputs before the reader has run a cell; what a page links to lies in the copy, and cannot be changed."""
    root, target = folder / "root", folder / "mine"
    (root / "notebooks").mkdir(parents=True)
    (root / "docs").mkdir()
    (root / "docs" / "a.md").write_text("page")
    (root / "build").mkdir()
    (root / "build" / "b.h").write_text("no")
    book = json.loads(notebook("1"))
    book["cells"].append({"cell_type": "markdown", "id": "b", "metadata": {}, "source": "[a](../docs/a.md#x), [b](01-b.ipynb)"})
    (root / "notebooks" / "00-a.ipynb").write_text(json.dumps(book))
    for _ in range(2):
        copy_notebooks.copy(root / "notebooks", target)
        copy_notebooks.copy_repository(root, target)
    mine = json.loads((target / "00-a.ipynb").read_text())
    expect(mine["cells"][0]["outputs"] == [] and mine["cells"][0]["execution_count"] is None, mine)
    expect(mine["cells"][1]["source"] == "[a](repository/docs/a.md#x), [b](01-b.ipynb)", mine)
    expect((target / "repository" / "docs" / "a.md").read_text() == "page", "the page is missing")
    expect(not (target / "repository" / "docs" / "a.md").stat().st_mode & 0o222, "it can be changed")
    expect(not (target / "repository" / "build").exists(), "what is built is copied")


def xeus_cling_is_told(folder):
    """Its kernel gets two facts, once, and keeps its own."""
    file = folder / "share" / "jupyter" / "kernels" / "xcpp17" / "kernel.json"
    file.parent.mkdir(parents=True)
    own = {"display_name": "C++17", "argv": ["/conda/bin/xcpp", "-f", "{connection_file}", "-std=c++17"], "language": "C++17", "env": {"LD_LIBRARY_PATH": "/x"}}
    file.write_text(json.dumps(own))
    code = f"import runpy, sys; sys.prefix = {str(folder)!r}; sys.argv = ['kernel', 'xeus-cling']; runpy.run_path({str(KERNEL)!r}, run_name='__main__')"
    for _ in range(2):
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
        expect(done.returncode == 0, done.stderr)
    told = json.loads(file.read_text())
    expect(told["argv"] == [*own["argv"], f"-I{PREFIX / 'include' / 'graft'}"] and told["display_name"] == "C++17", told)
    expect(told["env"]["LD_LIBRARY_PATH"] == f"{KERNEL.parent.parent}:/x", told)


def main():
    checks, failed = (a_broken_environment_and_no_network, what_a_reader_changed_is_kept, a_name_finds_its_notebook, nothing_is_given_away_and_links_lead_somewhere,
                      xeus_cling_is_told), 0
    for check in checks:
        folder = Path(tempfile.mkdtemp(prefix="graft-setup."))
        try:
            check(folder)
        except AssertionError as error:
            failed += 1
            print(f"FAILED {check.__name__}: {error}")
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    print(f"setup_test: {len(checks) - failed} of {len(checks)} checks passed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
