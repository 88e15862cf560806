"""The precompiled header of a notebook: the standard library, JSON, graft.h and xcpp/. 8 seconds once, then nothing.

Its name is a checksum of all that goes into it, so a changed header makes another one. It is written beside and renamed, so two
kernels that start at once each have a whole one. The six that were used last are kept.
"""
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import settings

UMBRELLA = ["nlohmann/json.hpp", "graft.h", "xcpp/xdisplay.hpp"]
KEPT = 6  # 50 MB each


def key():
    import cppyy_backend
    words = hashlib.sha256()
    words.update(f"{cppyy_backend.__version__} {sys.version} {settings.ARGUMENTS} {settings.HERE} {settings.HEADERS}".encode())
    compiler = subprocess.run(["c++", "--version"], capture_output=True, text=True)  # whose standard library Cling reads
    words.update(compiler.stdout.encode())
    system = [Path(p) / "nlohmann" for p in ("/usr/include", "/usr/local/include")]
    for folder in (settings.HEADERS, settings.HERE / "xcpp", *system):
        for header in sorted(folder.rglob("*.h*")):
            status = header.stat()
            ours = not str(header).startswith("/usr")
            words.update(f"{header} {status.st_size} {int(status.st_mtime)}".encode())
            if ours:
                words.update(header.read_bytes())
    return words.hexdigest()[:20]


def ready():
    """The path of the header, made if need be."""
    folder = settings.cache()
    folder.mkdir(parents=True, exist_ok=True)
    header = folder / f"graft-{key()}.pch"
    if not header.exists():
        make(header)
        remove_old(folder, header)
    os.utime(header)  # used now
    return header


def remove_old(folder, but):
    for old in sorted(folder.glob("graft-*.pch"), key=lambda file: file.stat().st_mtime)[:-KEPT]:
        if old != but:
            old.unlink(missing_ok=True)
    for left in folder.glob("making-*"):  # by a kernel that was ended
        if time.time() - left.stat().st_mtime > 3600:
            shutil.rmtree(left, ignore_errors=True)


def make(header):
    import cppyy_backend
    root = Path(cppyy_backend.__file__).parent
    work = Path(tempfile.mkdtemp(prefix="making-", dir=header.parent))
    try:
        words = [root / "bin/rootcling", "-rootbuild", "-generate-pch", "-f", work / "allDict.cxx", "-noDictSelection", "-D__CLING__", "-DROOT_PCH"]
        for include in (root / "include", root / "etc", root / "etc/dictpch", root / "etc/cling", settings.HEADERS, settings.HERE):
            words.append(f"-I{include}")
        words += ["-cxxflags", f"{settings.ARGUMENTS} -Wno-implicit-fallthrough -pipe -fsigned-char -pthread"]
        words += ["etc/dictpch/allHeaders.h", *UMBRELLA, "etc/dictpch/allLinkDefs.h"]
        environment = dict(os.environ, EXTRA_CLING_ARGS=settings.ARGUMENTS,
                           LD_LIBRARY_PATH=f"{root / 'lib'}:{os.environ.get('LD_LIBRARY_PATH', '')}")
        done = subprocess.run([str(w) for w in words], cwd=root, env=environment, capture_output=True, text=True)
        made = work / "allDict_rdict.pch"
        if done.returncode != 0 or not made.exists():
            raise RuntimeError(f"the precompiled header could not be made:\n{done.stdout}{done.stderr}")
        with open(made, "rb") as file:
            os.fsync(file.fileno())
        made.rename(header)
    finally:
        shutil.rmtree(work, ignore_errors=True)


if __name__ == "__main__":
    print(ready())
