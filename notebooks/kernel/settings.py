"""Where things are: this folder is <prefix>/lib/graft/kernel, beside the libraries that it loads."""
import os
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
LIBRARIES = HERE.parent.parent                      # libgraft.so, libgraft_notebook.so
HEADERS = next(p for p in HERE.parents if (p / "include" / "graft" / "graft.h").exists()) / "include" / "graft"
PREFIX = HEADERS.parent.parent
EIGEN = [p for p in (Path("/usr/include/eigen3"), Path("/usr/local/include/eigen3")) if p.exists()]  # for autograd/eigen.h
TALK = HERE / "libgraft_kernel.so"
# Cells are compiled without the processor's flags, as xeus-cling does. Cling's language must be known before cppyy is imported.
ARGUMENTS = "-O2 -std=c++17"


def cache():
    """A folder of the user's own for precompiled headers: in this Python's environment, which ./run made for this."""
    if os.environ.get("GRAFT_NOTEBOOK_CACHE"):
        return Path(os.environ["GRAFT_NOTEBOOK_CACHE"])
    if os.access(sys.prefix, os.W_OK):
        return Path(sys.prefix) / "graft-pch"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "graft" / "pch"


def forget_precompiled():
    for header in cache().glob("graft-*.pch"):
        header.unlink(missing_ok=True)
