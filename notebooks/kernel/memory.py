"""How much memory a notebook may use: most of what is free, so that a cell that wants more gets std::bad_alloc, not the machine."""
import os
import re
import resource
from pathlib import Path

SHARE = 0.85
LEAST = 1 << 30
ALWAYS = 128 << 20


def free():
    found = []
    for line in Path("/proc/meminfo").read_text().splitlines():
        if line.startswith("MemAvailable:"):
            found.append(int(line.split()[1]) * 1024)
    try:  # a container's own limit
        most = Path("/sys/fs/cgroup/memory.max").read_text().strip()
        if most != "max":
            found.append(int(most) - int(Path("/sys/fs/cgroup/memory.current").read_text()))
    except (OSError, ValueError):
        pass
    return min(found, default=LEAST)


def most():
    """In bytes; GRAFT_NOTEBOOK_MEMORY says how many MiB, 0: no limit, None."""
    wanted = os.environ.get("GRAFT_NOTEBOOK_MEMORY", "")
    return (int(wanted) << 20 or None) if wanted.isdigit() else max(LEAST, int(SHARE * free()))


def used():
    return int(re.search(r"VmData:\s+(\d+)", Path("/proc/self/status").read_text())[1]) << 10


def limit(bytes_):
    """For the next cell. It has some in any case: one that frees what another one took must be compiled, too."""
    resource.setrlimit(resource.RLIMIT_DATA, (max(bytes_, used() + ALWAYS), resource.getrlimit(resource.RLIMIT_DATA)[1]))


def go_first():
    """Should the machine run out of memory all the same, it is this process that is ended, not Jupyter."""
    try:
        Path("/proc/self/oom_score_adj").write_text("500")
    except OSError:
        pass
