#!/usr/bin/env python3
"""compile.py INCLUDE.. [--name NAME]..: each notebook as one program (one_program.py), read by g++ and by clang++ as C++17.

INCLUDE: folders with graft.h and notebook.h. The kernel's <xcpp/xdisplay.hpp> is a stub (tests/notebook/stub): g++ has no Cling.
notebook.h is precompiled once for each compiler.
"""
import argparse
import concurrent.futures
import subprocess
import sys
import tempfile
from pathlib import Path

import make
import one_program
import page

STUB = make.HERE.parent / "tests/notebook/stub"
EIGEN = [path for path in (Path("/usr/include/eigen3"), Path("/usr/local/include/eigen3")) if path.exists()]  # for autograd/eigen.h
FLAGS = ["-std=c++17", "-O0", "-Wall", "-Werror"]


def call(words):
    done = subprocess.run(words, capture_output=True, text=True)
    return done.returncode, done.stderr


def precompiled(compiler, includes, folder):
    """The words that make a compiler use notebook.h as it was read once."""
    (folder / "first.h").write_text("#include <notebook.h>\n")
    out = folder / ("first.h.pch" if compiler.startswith("clang") else "first.h.gch")
    status, said = call([compiler, *FLAGS, *includes, "-x", "c++-header", folder / "first.h", "-o", out])
    if status:
        sys.exit(f"{compiler} cannot read notebook.h:\n{said}")
    return ["-include-pch", out] if compiler.startswith("clang") else ["-include", folder / "first.h"]


def complaint(text, compiler, words, file):
    """What the compiler says of a program, or ""."""
    file.write_text(text, encoding="utf-8")
    status, said = call([compiler, *FLAGS, *words, "-fsyntax-only", file])
    return said if status or said.strip() else ""


def complaints(programs, compilers, includes, scratch, jobs=2):
    """{(name, compiler): what it says} for each program that a compiler does not take."""
    scratch, found = Path(scratch), {}
    words = {}
    for compiler in compilers:
        folder = scratch / compiler
        folder.mkdir()
        words[compiler] = [*includes, *precompiled(compiler, includes, folder)]
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        jobs = {(name, compiler): pool.submit(complaint, text, compiler, words[compiler], scratch / compiler / f"{name}.cpp")
                for name, text in programs.items() for compiler in compilers}
        for key, job in jobs.items():
            if job.result():
                found[key] = job.result()
    return found


def main():
    words = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    words.add_argument("includes", nargs="+", metavar="INCLUDE")
    words.add_argument("--name", action="append", default=[], help="only notebooks that have it in their name")
    words.add_argument("--compiler", action="append", help="instead of g++ and clang++")
    asked = words.parse_args()
    stems = make.stems(asked.name)
    programs = {stem: one_program.program(page.cells(make.read(make.HERE / f"{stem}.md")), f"{stem}.md") for stem in stems}
    includes = [word for folder in [*asked.includes, *EIGEN, STUB] for word in ("-isystem", folder)]
    compilers = asked.compiler or ["g++", "clang++"]
    with tempfile.TemporaryDirectory(prefix="graft-one-") as scratch:
        found = complaints(programs, compilers, includes, scratch)
    for (stem, compiler), said in found.items():
        print(f"{stem}, as one program, by {compiler}:\n{said}")
    print(f"{len(stems)} notebooks as programs: " + (f"{len(found)} complaints" if found else f"taken by {' and '.join(compilers)}"))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
