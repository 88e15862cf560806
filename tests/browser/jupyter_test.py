"""JupyterLab as `./run jupyter` starts it, in a headless Chromium: jupyter_test.py [--pictures FOLDER] [NOTEBOOK].

A notebook is opened and run as a whole, by the mouse; a training is watched while it draws its curve, and interrupted; a cell that
crashes is outlived. NOTEBOOK: a part of the name of one of notebooks/, 04 if there is one. Needs chromium and what ./run jupyter needs.
"""
import argparse
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from chromium import Page

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.append(str(ROOT / "notebooks" / "tools"))
from processes import family  # noqa: E402

SECONDS = 300  # that anything may take
WATCHED = [
    '#include "notebook.h"\n#include <chrono>\n#include <thread>\nusing namespace graft;\nint kept = 42;',
    'show::Progress progress("a slow training", 3000);',
    "for (Index step = 0; step < 3000; ++step) {\n  std::this_thread::sleep_for(std::chrono::milliseconds(20));\n  progress(step, 1.0 / (step + 1));\n}",
    "kept + 1",
    "int* nowhere = nullptr;\n*nowhere = 3;",
    "6 * 7",
]


def expect(ok, *words):
    if not ok:
        raise AssertionError(" ".join(str(w) for w in words))


class Lab(Page):
    """The page of a JupyterLab."""

    def note(self, event):
        if event.get("method") == "Network.requestWillBeSent":
            url = event["params"]["request"]["url"]
            if not re.match(r"(https?|wss?)://(127\.0\.0\.1|localhost):|data:|blob:|about:", url):
                self.complaints.append("asks the network for " + url)
        elif event.get("method") == "Runtime.exceptionThrown":
            super().note(event)

    def go(self, url):
        self.call("Page.navigate", url=url)

    def until(self, script, what, seconds=SECONDS):
        """What the script gives, as soon as that is something."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                got = self.run(script)
            except RuntimeError:
                got = None  # the page is being made
            if got:
                return got
            time.sleep(0.1)
        raise AssertionError(f"{what} did not come in {seconds} s; the page says: {self.run('document.body.innerText.slice(-600)')}")

    def press(self, which, what):
        """Clicks the first visible element that `which` finds."""
        place = self.until(f"(e => {{ if (!e) return null; e.scrollIntoView({{block: 'nearest'}}); const b = e.getBoundingClientRect(); "
                           f"return b.width ? [b.left + b.width / 2, b.top + b.height / 2] : null; }})({which})", what, 60)
        self.mouse(*place)
        self.click(*place)

    def menu(self, name, command):
        self.press(f"[...document.querySelectorAll('.lm-MenuBar-item')].find(e => e.innerText.trim() === {json.dumps(name)})", "the menu " + name)
        self.press(f"document.querySelector('.lm-Menu-item[data-command=\"{command}\"]')", command)

    def button(self, command):
        self.press(f"[...document.querySelectorAll('[data-command=\"{command}\"]')].find(e => e.getBoundingClientRect().width)", command)

    def open_notebook(self, url):
        self.go(url + "&reset")  # without what was open before
        ready = ("document.querySelector('.jp-Notebook-ExecutionIndicator')?.dataset.status === 'idle' && "
                 "document.querySelectorAll('.jp-Notebook .jp-CodeCell').length > 2")
        for _ in range(2):  # it is idle for a moment before its kernel is started, too
            self.until(ready, "the notebook with an idle kernel")
            time.sleep(1.5)

    def prompts(self):
        return self.run("[...document.querySelectorAll('.jp-CodeCell .jp-InputPrompt')].map(e => e.innerText.trim())")

    def run_all(self):
        self.menu("Run", "runmenu:run-all")

    def outputs(self):
        """For each code cell its outputs' text, pictures as [picture]."""
        return self.run("[...document.querySelectorAll('.jp-CodeCell')].map(c => [...c.querySelectorAll('.jp-OutputArea-output')].map(o => "
                        "o.querySelector('img, svg') ? '[picture]' : o.innerText.trim()))")


def has_no_errors(page):
    """A cell that is to raise (its author says so by a tag) may."""
    bad = page.run("[...document.querySelectorAll('.jp-CodeCell')].filter(c => c.querySelector('[data-mime-type$=\"jupyter.error\"], [data-mime-type$=\"jupyter.stderr\"]'))"
                   ".map(c => c.querySelector('.cm-content').innerText + ' -> ' + c.querySelector('.jp-OutputArea').innerText)")
    return bad


def a_notebook_runs(page, address, copy, name, keep):
    file = next(f for f in sorted(copy.glob("*.ipynb")) if name in f.name and ".zh." not in f.name)
    book = json.loads(file.read_text())
    code = [c for c in book["cells"] if c["cell_type"] == "code"]
    raising = sum("raises-exception" in c["metadata"].get("tags", []) for c in code)
    page.open_notebook(address)
    expect(not any(page.outputs()), file.name, "shows what its cells give before the reader has run them")
    keep("opened")
    page.run_all()
    page.until("document.querySelector('.jp-Notebook-ExecutionIndicator').dataset.status === 'busy' || "
               "[...document.querySelectorAll('.jp-InputPrompt')].some(e => e.innerText.includes('*'))", "a busy kernel", 60)
    page.until(f"document.querySelectorAll('.jp-CodeCell').length >= {len(code)} && [...document.querySelectorAll('.jp-CodeCell .jp-InputPrompt')].every(e => "
               "/^\\[\\d+\\]:?$/.test(e.innerText.trim()))", f"the end of {file.name}")
    keep("ran")
    bad = has_no_errors(page)
    expect(len(bad) == raising, f"{file.name}: {len(bad)} cells failed, {raising} are to fail:", bad)
    shown = page.outputs()
    expect(any("[picture]" in outputs for outputs in shown), "no picture in", file.name)
    expect(len(page.prompts()) == len(code), len(page.prompts()), "of", len(code), "cells")
    print(f"jupyter_test: {file.name}: {len(code)} cells ran, {sum(o.count('[picture]') for o in shown)} pictures")


def a_training_is_watched_and_interrupted(page, address, copy, _, keep):
    cells = [{"cell_type": "code", "id": f"c{i}", "metadata": {"tags": ["raises-exception"]}, "execution_count": None, "outputs": [],
              "source": source} for i, source in enumerate(WATCHED)]
    (copy / "watched.ipynb").write_text(json.dumps({"cells": cells, "nbformat": 4, "nbformat_minor": 5, "metadata": {
        "kernelspec": {"display_name": "C++17", "language": "C++17", "name": "xcpp17"}}}))
    page.open_notebook(re.sub(r"/lab[^?]*", "/lab/tree/watched.ipynb", address))
    page.run_all()
    picture = ("(o => o && (o.querySelector('img')?.src || o.querySelector('svg')?.outerHTML))"
               "(document.querySelectorAll('.jp-CodeCell')[2]?.querySelector('.jp-OutputArea-output'))")
    seen = {page.until(picture, "the curve", 120)}
    until = time.monotonic() + 60
    while len(seen) < 4 and time.monotonic() < until:
        seen.add(page.run(picture))
        time.sleep(0.1)
    expect(len(seen) >= 4, "the curve does not move:", len(seen), "pictures")
    expect("*" in page.prompts()[2], "the training does not run any more:", page.prompts())
    keep("training")
    page.button("notebook:interrupt-kernel")
    page.until("document.querySelectorAll('.jp-CodeCell')[2].innerText.includes('Interrupted')", "the word Interrupted", 60)
    page.until("[...document.querySelectorAll('.jp-CodeCell .jp-InputPrompt')].every(e => /^\\[\\d+\\]:?$/.test(e.innerText.trim()))", "the end of all cells", 60)
    keep("interrupted")
    said = page.outputs()
    expect(said[2][0] == "[picture]" and "a slow training: interrupted at step" in said[2][-1], said[2])
    expect(said[3] == ["43"], "after the interrupt kept + 1 is", said[3])
    expect("SIGSEGV" in said[4][-1] and re.search(r"cell \[\d+\] ended the program", said[4][-1]), said[4])
    expect(said[5] == ["42"], "after the crash 6 * 7 is", said[5])


def address_of(lab, log):
    until = time.monotonic() + SECONDS
    while time.monotonic() < until:
        found = re.search(r"http://127\.0\.0\.1:\d+/lab\S*\?token=\w+", Path(log).read_text())
        if found:
            return found[0]
        if lab.poll() is not None:
            break
        time.sleep(0.2)
    sys.exit(f"jupyter_test: ./run jupyter prints no address:\n{Path(log).read_text()}")


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def main():
    words = argparse.ArgumentParser()
    words.add_argument("--pictures")
    words.add_argument("notebook", nargs="?")
    words = words.parse_args()
    names = sorted(f.name for f in (ROOT / "notebooks").glob("*.ipynb"))
    name = words.notebook or next((n for n in names if n.startswith("04")), names[0] if names else None)
    work, failed, done = Path(tempfile.mkdtemp(prefix="graft-jupyter.")), 0, []
    copy, log = work / "copy", work / "log"
    with open(log, "w") as out:
        lab = subprocess.Popen([ROOT / "run", "jupyter", "--no-browser", f"--port={free_port()}", *([name] if name else [])],
                               env={**os.environ, "GRAFT_NOTEBOOKS": str(copy), "JUPYTER_DATA_DIR": str(work / "data"), "JUPYTER_CONFIG_DIR": str(work / "config")},
                               stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True)
    left = []
    try:
        address = address_of(lab, log)
        checks = ([a_notebook_runs] if name else []) + [a_training_is_watched_and_interrupted]
        for check in checks * 2:  # a second time what failed: a click can come before JupyterLab listens for it
            if check in done:
                continue
            with Lab() as page:
                page.window(1280, 5000 if check is a_notebook_runs else 1500)  # what is out of sight JupyterLab does not draw

                def keep(what):
                    if words.pictures:
                        Path(words.pictures).mkdir(parents=True, exist_ok=True)
                        page.screenshot(Path(words.pictures, f"jupyter-{what}.png"))
                try:
                    check(page, address, copy, name, keep)
                    expect(page.complaints == [], "the page complains:", page.complaints[:5])
                    done.append(check)
                except (AssertionError, RuntimeError, TimeoutError) as error:
                    print(f"FAILED {check.__name__}: {error}", flush=True)
                    keep("failed")
                left = family(lab.pid)
        failed += sum(check not in done for check in checks)
    finally:
        os.killpg(lab.pid, signal.SIGTERM)
        try:
            lab.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(lab.pid, signal.SIGKILL)
            lab.wait()
        time.sleep(1)
        over = [pid for pid in left if Path(f"/proc/{pid}").exists() and pid != lab.pid]
        if over:
            failed += 1
            print("FAILED: left behind:", [Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ") for pid in over])
        shutil.rmtree(work, ignore_errors=True)
    print(f"jupyter_test: {'FAILED' if failed else 'passed'}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
