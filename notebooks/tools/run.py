#!/usr/bin/env python3
"""run.py [--write] [--jobs N] [NAME..]: runs the notebooks of the pages, two at a time and without a network, and looks at what comes out.

Exit code 1 if a notebook fails, is beyond a limit, says something on stderr, or gives other outputs than the committed ones.
--write puts the outputs into the notebooks instead, both languages' (their code is the same). Started by ./run notebooks, by a Python
that has nbclient and the kernel.
"""
import argparse
import concurrent.futures
import json
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import compare
import hashes
import make
import notebook
import page
import processes

ROOT = make.HERE.parent
SECONDS, MB = {"10": 60}, 300
ORDINARY_SECONDS = 25


RUNNING = []  # processes that have not ended


def limit(stem):
    return SECONDS.get(stem[:2], ORDINARY_SECONDS)


def without_network():
    """The words before a command that take the network from it; none where that is not allowed."""
    for words in (["unshare", "-n"], ["unshare", "-rn"]):
        try:
            if subprocess.run([*words, "true"], capture_output=True).returncode == 0:
                return words
        except OSError:
            break
    print("run: this machine does not let a program be without network; notebooks get a proxy that is not there", file=sys.stderr)
    return []


def executed(stem, cells, before, scratch):
    """What execute.py says of it."""
    folder = Path(scratch) / stem
    folder.mkdir()
    book, result = folder / f"{stem}.ipynb", folder / "result.json"
    book.write_text(notebook.written(notebook.made(cells)), encoding="utf-8")
    nowhere = {name: "http://127.0.0.1:9" for name in ("http_proxy", "https_proxy", "all_proxy")}
    child = subprocess.Popen([*before, sys.executable, Path(__file__).with_name("execute.py"), book, result], cwd=folder,
                             env={**os.environ, **nowhere, "TMPDIR": str(folder)}, start_new_session=True,
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    RUNNING.append(child)
    said = child.communicate()[0]
    RUNNING.remove(child)
    if child.returncode != 0 or not result.exists():
        return {"outputs": [], "cells": [], "cpu": 0, "mb": 0, "failed": {"cell": None, "what": said.strip() or "it ended early"}}
    return json.loads(result.read_text(encoding="utf-8"))


def place_of(stem, code, number):
    return f"cell {number} ({stem}.md, line {code[number - 1].line})"


def faults(stem, code, result):
    """Complaints about how it ran; code: its cells."""
    place = lambda number: place_of(stem, code, number)
    if result["failed"]:
        number, what = result["failed"]["cell"], result["failed"]["what"]
        if number is None:
            return [f"it did not run: {what}"]
        return [f"{place(number)}: {what}\n{code[number - 1].text}"]
    found = []
    for number, (cell, outputs) in enumerate(zip(code, result["outputs"], strict=True), 1):
        errors = [output for output in outputs if output["output_type"] == "error"]
        if cell.raises and not errors:
            found.append(f"{place(number)} is to raise, and does not")
        if errors and not cell.raises:
            found.append(f"{place(number)}: {errors[0]['ename']}: {errors[0]['evalue']}")
        said = "".join("".join(o["text"]) for o in outputs if o["output_type"] == "stream" and o["name"] == "stderr")
        if said:
            found.append(f"{place(number)} says on stderr: {said.strip()}")
    if result["cpu"] > limit(stem):
        slow = sorted(((cell["cpu"], number) for number, cell in enumerate(result["cells"], 1)), reverse=True)[:3]
        found.append(f"takes {result['cpu']:.1f} CPU seconds; the limit is {limit(stem)}. "
                     + "; ".join(f"{place(number)}: {seconds:.1f} s" for seconds, number in slow))
    if result["mb"] > MB:
        rises = [cell["mb"] - before for before, cell in zip([0, *(c["mb"] for c in result["cells"])], result["cells"])][1:]
        most = max(range(len(rises)), key=rises.__getitem__) + 2 if rises else 1
        found.append(f"takes {result['mb']:.0f} MB; the limit is {MB}. {place(most)} adds the most")
    return found


def committed(stem):
    """(outputs, hashes) in the repository; (None, {}) if there are none that fit the page's code."""
    outputs, its = make.kept((make.HERE / f"{stem}.ipynb", notebook.made(make.pages(stem)[0][1])))
    return outputs, its or {}


def others(stem, code, outputs, now):
    """Complaints about outputs that are not the committed ones."""
    if outputs is None:
        return [f"its notebook has no outputs of this code; ./run notebooks --write {stem} writes them"]
    return [f"{place_of(stem, code, number)} gives something else than what is committed\n{how}"
            for number, how in compare.differences(outputs, now)]


def report(stem, code, result, cells):
    """What it took; cells: each of them."""
    taken = [cell["cpu"] for cell in result["cells"]]
    slowest = f"cell {taken.index(max(taken)) + 1} {max(taken):.1f} s" if taken else ""
    print(f"{stem:<22} {result['cpu']:6.1f} CPU s {result['mb']:6.0f} MB   slowest: {slowest}")
    for number, cell in enumerate(result["cells"] if cells else [], 1):
        print(f"    {number:2} {cell['cpu']:6.2f} CPU s {cell['mb']:5.0f} MB   {code[number - 1].text.split(chr(10))[0][:70]}")


def complaints(stem, code, result, write):
    """All that is wrong with it. Writes the notebooks if asked and nothing is."""
    wrong, now = faults(stem, code, result), hashes.of(stem, ROOT)
    if wrong:
        return wrong
    if write:
        make.make(stem, outputs=result["outputs"], hashes=now)
        return []
    outputs, its = committed(stem)
    wrong, changed = others(stem, code, outputs, result["outputs"]), hashes.old(its, now)
    if not wrong and changed:
        print(f"    old, but right: made from another {' and '.join(changed)}")
    return wrong


def main():
    words = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    words.add_argument("--write", action="store_true", help="write the outputs into the notebooks")
    words.add_argument("--jobs", type=int, default=2, help="how many at a time (2)")
    words.add_argument("--cells", action="store_true", help="say what each cell took")
    words.add_argument("names", nargs="*", metavar="NAME")
    asked = words.parse_args()
    stems, before, bad = make.stems(asked.names), without_network(), 0
    cells = {stem: make.pages(stem)[0][1] for stem in stems}
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("run: stopped"))
    with tempfile.TemporaryDirectory(prefix="graft-nb-") as scratch, concurrent.futures.ThreadPoolExecutor(asked.jobs) as pool:
        jobs = {stem: pool.submit(executed, stem, cells[stem], before, scratch) for stem in stems}
        try:
            for stem, job in jobs.items():
                result, code = job.result(), page.code(cells[stem])
                report(stem, code, result, asked.cells)
                wrong = complaints(stem, code, result, asked.write)
                for complaint in wrong:
                    print(f"{stem}: {complaint}")
                bad += bool(wrong)
                sys.stdout.flush()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            for child in list(RUNNING):
                processes.end(child)
            raise
    print(f"{len(stems) - bad} of {len(stems)} notebooks " + ("written" if asked.write else "give what is committed"))
    return 1 if bad else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit("run: interrupted")
