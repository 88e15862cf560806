"""What a process and all below it have used, and their end."""
import os
import re
import signal
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")


def family(pid):
    """pid and all processes below it."""
    parent = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent[int(stat.parent.name)] = int(stat.read_text().rpartition(")")[2].split()[1])
        except (OSError, ValueError):
            pass  # it has ended
    found = [pid]
    for one in found:
        found += [child for child, above in parent.items() if above == one]
    return found


def used(pid):
    """CPU seconds, and MB at the highest, of a process and those below it."""
    seconds = kib = 0
    for one in family(pid):
        try:
            fields = Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()
            status = Path(f"/proc/{one}/status").read_text()
        except OSError:
            continue
        seconds += sum(map(int, fields[11:15] if one == pid else fields[11:13])) / TICKS  # of pid also children that ended
        kib += int((re.search(r"VmHWM:\s+(\d+)", status) or [0, 0])[1])
    return seconds, kib / 1024


def end(child, seconds=10):
    """Ends a child and all below it: asks first."""
    below = family(child.pid)
    child.terminate()
    try:
        child.wait(seconds)
    except Exception:  # it does not listen, or the wait is cut short: no more asking
        pass
    for one in below:
        try:
            os.kill(one, signal.SIGKILL)
        except ProcessLookupError:
            pass
    child.wait()
