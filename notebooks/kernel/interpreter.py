"""The process that runs the cells: Cling, nothing of Jupyter's. interpreter.py TO FROM COMMANDS: numbers of open pipes.

Started by process.py, which reads what it prints and says. A crash in a cell ends this process and no other.
"""
import ctypes
import json
import os
import resource
import signal
import struct
import sys

import cell
import memory
import pch
import settings
import trial

CRASHES = (signal.SIGSEGV, signal.SIGABRT, signal.SIGILL, signal.SIGFPE, signal.SIGBUS, signal.SIGSYS)
PR_SET_PDEATHSIG = 1
WANTS_MORE = 99  # Cling's word for an input that is not complete


class Interpreter:
    def __init__(self, to, answers):
        self.pid = os.getpid()
        # Before Cling, and with it libstdc++, is there: thrown.cpp has a function of theirs.
        self.kernel = ctypes.CDLL(str(settings.TALK), ctypes.RTLD_GLOBAL)
        self.kernel.graft_kernel_open(to, answers)
        os.environ["EXTRA_CLING_ARGS"] = settings.ARGUMENTS
        os.environ["CLING_STANDARD_PCH"] = str(pch.ready())
        for name in ("libgraft.so", "libgraft_notebook.so"):
            ctypes.CDLL(str(settings.LIBRARIES / name), ctypes.RTLD_GLOBAL)
        import cppyy
        self.cling = cppyy.gbl.gInterpreter
        for s in CRASHES:
            signal.signal(s, signal.SIG_DFL)  # Cling would start a debugger
        self.kernel.graft_kernel_watch_interrupt()
        for folder in (settings.HEADERS, settings.HERE, *settings.EIGEN):
            cppyy.add_include_path(str(folder))
        self.line(f'#pragma cling add_library_path("{settings.LIBRARIES}")')
        self.line("#include <iostream>")
        self.line("#include <xcpp/xdisplay.hpp>")
        self.probes = 0
        self.memory = memory.most()
        memory.go_first()

    def say(self, kind, **more):
        self.kernel.graft_kernel_say(json.dumps({"kind": kind, **more}).encode())

    def line(self, code):
        """Hands Cling one input: "done", "failed" if it did not compile, or "threw"."""
        error = ctypes.c_int(0)
        self.kernel.graft_kernel_watch_exceptions()
        self.cling.ProcessLine(code, ctypes.pointer(error))
        if os.getpid() != self.pid:
            os._exit(0)  # a cell forked, and its child came back
        if error.value == WANTS_MORE:
            self.cling.ProcessLine(".@")  # forget it
        threw = self.kernel.graft_kernel_caught_exception()
        return "threw" if threw else "failed" if error.value else "done"

    def known(self, name):
        """Is there a variable of that name? ROOT's Cling would take `name = 3` for a declaration."""
        self.probes += 1
        saved, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 2)
        try:
            return self.cling.Declare(f"namespace graft_kernel_probes {{ using probe_{self.probes} = decltype({name}); }}")
        finally:
            os.dup2(saved, 2)
            os.close(saved)
            os.close(nowhere)

    def run(self, code, name):
        """Runs a cell block by block; says what kind of end it took."""
        try:
            cell.refuse_magics(code)
            cell.refuse_brackets(code)
            cell.refuse_bindings(code)
            blocks = cell.blocks(cell.for_cling(code))
            for number, (first, text) in enumerate(blocks):
                for line, variable in cell.assignments(text):
                    if not self.known(variable):
                        raise cell.Refused(first + line - 1, f"use of undeclared identifier '{variable}': write `auto {variable} = …` to declare it")
                if not self.block(text, name, first, number + 1 == len(blocks)):
                    return
        except cell.Refused as no:
            self.say("refused", line=no.line, text=str(no), source=code.split("\n")[no.line - 1])

    def block(self, text, name, first, is_last):
        """One input of Cling, which begins in line `first` of the cell. False: it failed."""
        place = f'#line {first} "{name}"\n'
        last = cell.last_expression(text) if is_last else None
        if last is not None:
            start, end = last
            line, column = cell.place_of(text, start)
            shown = (f"{text[:start]}\n::xcpp::kernel::result((\n#line {first + line - 1} \"{name}\"\n{' ' * column}"
                     f"{text[start:end]}\n, ::xcpp::kernel::Void()));\n")
            if trial.compiles(self, place, shown):
                return self.compiled(place + shown)
            self.say("try again")  # what is wrong shall be said of what the reader wrote
        if not trial.compiles(self, place, text):
            self.say("failed")
            return False
        return self.compiled(place + text)

    def compiled(self, code):
        end = self.line(code)
        self.say("failed" if end == "failed" else "compiled")
        return end == "done"

    def leave_alone(self):
        """In a copy of the process: it says nothing, and ends with it."""
        self.pid = os.getpid()
        self.kernel.graft_kernel_open(-1, -1)
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def main():
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # until there is something to interrupt
    to, answers, commands = map(int, sys.argv[1:4])
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != int(sys.argv[4]):
        sys.exit(0)
    for fd in (to, answers, commands):
        os.set_inheritable(fd, False)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    interpreter = Interpreter(to, answers)
    interpreter.say("ready", memory=interpreter.memory)
    with open(commands, "rb") as asked:
        while len(size := asked.read(8)) == 8:
            command = json.loads(asked.read(struct.unpack("<Q", size)[0]))
            interpreter.kernel.graft_kernel_forget_interrupt()
            if interpreter.memory:
                memory.limit(interpreter.memory)
            interpreter.run(command["code"], command["name"])
            interpreter.say("done")
    os._exit(0)  # destructors of what cells left behind would only be in the way


if __name__ == "__main__":
    main()
