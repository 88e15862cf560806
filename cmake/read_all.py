# Reads every source of a compile_commands.json as its compiler would, without making code (-fsyntax-only), several at a time.
# Usage: read_all.py COMPILE_COMMANDS JOBS. Prints what the compiler says; exit code 1 if it refused any.
import concurrent.futures
import json
import re
import subprocess
import sys


def read(entry):
    command = re.sub(r" -o \S+", "", entry["command"]).replace(" -c ", " -fsyntax-only ")
    done = subprocess.run(command, shell=True, cwd=entry["directory"], capture_output=True, text=True)
    if done.stderr:
        print(done.stderr, file=sys.stderr, end="")
    return done.returncode == 0


entries = json.load(open(sys.argv[1]))
with concurrent.futures.ThreadPoolExecutor(int(sys.argv[2])) as pool:
    good = list(pool.map(read, entries))
print(f"read {len(good)} sources, {len(good) - sum(good)} of them refused")
sys.exit(0 if good and all(good) else 1)
