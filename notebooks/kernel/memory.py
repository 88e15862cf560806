"""How much memory a notebook may use: most of what is free, so that a cell that wants more gets std::bad_alloc, not the machine."""
import os
import resource
from pathlib import Path

SHARE = 0.85
LEAST = 1 << 30


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


def limit():
    """Sets it, in bytes; GRAFT_NOTEBOOK_MEMORY, in MiB, says how much, 0: no limit."""
    wanted = os.environ.get("GRAFT_NOTEBOOK_MEMORY", "")
    most = int(wanted) << 20 if wanted.isdigit() else max(LEAST, int(SHARE * free()))
    if most == 0:
        return None
    resource.setrlimit(resource.RLIMIT_DATA, (most, most))
    return most
