#!/usr/bin/env python3
"""execute.py NOTEBOOK.ipynb RESULT.json: runs a notebook in the kernel that it names and says what came out.

RESULT: {"outputs": one list per cell of code, "cells": [{"cpu": seconds, "mb": highest memory so far}], "cpu", "mb": of the whole
kernel, its start included, "failed": null or {"cell", "what"}}. Needs nbclient, and a kernelspec of that name.
"""
import json
import os
import re
import signal
import sys
from pathlib import Path

from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellControlSignal, CellExecutionError, CellTimeoutError, DeadKernelError
import nbformat

from processes import used

SECONDS = 300  # on the wall, for one cell: not a limit of notebooks (run.py has those), but an end to a loop that has none


class Client(NotebookClient):
    """Measures each cell."""

    def __init__(self, book, **options):
        super().__init__(book, kernel_manager_class=AsyncKernelManager, timeout=SECONDS, record_timing=False,
                         on_cell_execute=self.before, on_cell_executed=self.after, on_cell_error=self.after, **options)
        self.measured, self.at, self.now, self.last = [], 0.0, None, (0.0, 0.0)

    def create_kernel_manager(self):
        manager = super().create_kernel_manager()
        manager.transport = "ipc"  # sockets as files: works where there is no network, not even the machine's own
        manager.ip = os.path.join(os.environ.get("TMPDIR", "/tmp"), f"graft-notebook-{os.getpid()}")
        return manager

    def measure(self):
        try:
            self.last = used(self.km.provisioner.pid)
        except (AttributeError, OSError):
            pass  # it has died: the last figures stand
        return self.last

    def before(self, cell, cell_index):
        self.now, self.at = cell_index, self.measure()[0]

    def after(self, cell, cell_index, execute_reply):
        if len(self.measured) <= sum(c.cell_type == "code" for c in self.nb.cells[:cell_index]):
            seconds, mb = self.measure()
            self.measured.append({"cpu": seconds - self.at, "mb": mb})


def plain(text):
    return re.sub(r"\x1b\[[0-9;]*m", "", text)


def run(path):
    book = nbformat.read(path, 4)
    client = Client(book, kernel_name=book.metadata.kernelspec.name, resources={"metadata": {"path": str(Path(path).parent)}})
    failed = None
    try:
        client.execute()
    except CellExecutionError as error:
        failed = f"{error.ename}: {plain(error.evalue)}"
    except CellTimeoutError:
        failed = f"did not end within {SECONDS} s"
    except DeadKernelError:
        failed = "the kernel died in it"
    except (CellControlSignal, RuntimeError) as error:
        failed = str(error)
    code = [cell for cell in book.cells if cell.cell_type == "code"]
    number = None if client.now is None else sum(cell.cell_type == "code" for cell in book.cells[: client.now + 1])
    return {"outputs": [cell.outputs for cell in code], "cells": client.measured,
            "cpu": client.last[0], "mb": client.last[1], "failed": failed and {"cell": number, "what": failed}}


def stop(*_):
    raise SystemExit("it was stopped")  # which ends the kernel, too


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, stop)
    result = run(sys.argv[1])
    Path(sys.argv[2]).write_text(json.dumps(result), encoding="utf-8")
