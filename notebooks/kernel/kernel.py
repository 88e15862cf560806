"""The Jupyter kernel: it passes cells on to a process that runs them, and what comes of them to the reader."""
import atexit
import re
import signal
import threading

from ipykernel.kernelbase import Kernel

import cell
import settings
import words
from output import Output
from process import Dead, Process

PICTURES = 64 << 20  # bytes of a cell's pictures that are kept
MISSING = r"undeclared|unknown type|no (member|template|type) named|file not found"


class CppKernel(Kernel):
    implementation, implementation_version = "graft", "1"
    banner = "C++17, by Cling on Clang 9"
    language_info = {"name": "c++", "version": "17", "mimetype": "text/x-c++src", "codemirror_mode": "text/x-c++src", "file_extension": ".cpp"}

    def __init__(self, **more):
        super().__init__(**more)
        self.memory, self.ended_by, self.ending = None, None, False
        self.process = Process()
        atexit.register(self.end)

    def end(self):
        self.ending = True
        self.process.kill()

    def do_shutdown(self, restart):  # in a thread of its own; a cell may be running
        self.end()
        self.log.disabled = True  # the cell's own answer finds nobody
        return {"status": "ok", "restart": restart}

    def do_is_complete(self, code):
        try:
            cell.refuse_brackets(code)
            return {"status": "complete"}
        except cell.Refused:
            return {"status": "incomplete", "indent": "  "}

    def do_execute(self, code, silent, store_history=True, user_expressions=None, allow_stdin=False, **_):
        if not code.strip():
            return self.fine()
        name = f"cell [{self.execution_count}]"
        run = Run(self, name, code, silent)
        run.output.hold_all = not self.process.is_ready
        before = None
        if threading.current_thread() is threading.main_thread():
            before = signal.signal(signal.SIGINT, lambda *_: self.process.interrupt())
        try:
            self.process.run(code, name, run.show)
        except Dead as dead:
            run.error = words.death(name, dead) if self.process.is_ready else words.no_start(run.output.take(), dead)
            self.ended_by = name if self.process.is_ready else None
            if not self.process.is_ready and not dead.killed_by_us and dead.code != 0:
                settings.forget_precompiled()  # a damaged one is made anew by the next cell
            if not self.ending:
                self.process.end()
                self.process = Process()
        finally:
            if before is not None:
                signal.signal(signal.SIGINT, before)
        run.close()
        return self.failed(run, silent) if run.error else self.fine()

    def fine(self):
        return {"status": "ok", "execution_count": self.execution_count, "payload": [], "user_expressions": {}}

    def failed(self, run, silent):
        name, text, *more = run.error
        lines = [f"{name}: {text}", *(more[0] if more else [])]
        error = {"ename": name, "evalue": text, "traceback": ["\n".join(lines)]}
        if not silent:
            self.send_response(self.iopub_socket, "error", error)
        return {"status": "error", "execution_count": self.execution_count, **error}


class Run:
    """One cell's run: each message of the process becomes one of Jupyter's."""

    def __init__(self, kernel, cell, code, silent):
        self.kernel, self.cell, self.code, self.silent = kernel, cell, code, silent
        self.output = Output(lambda name, text: self.send("stream", name=name, text=text))
        self.thrown = self.error = None
        self.shown, self.room, self.left_out = set(), PICTURES, 0

    def send(self, what, **content):
        if not self.silent:
            self.kernel.send_response(self.kernel.iopub_socket, what, content)

    def show(self, message):
        kind = message["kind"]
        if kind == "text":
            self.output.text(message["name"], message["data"])
        elif kind == "pause":
            self.output.pause()
        else:
            getattr(self, "on_" + kind.replace(" ", "_"))(message)

    # --- of what the cell shows ----------------------------------------------------------------------------------------

    def on_display(self, message):
        self.output.flush()
        self.room -= sum(len(part) for part in message["data"].values() if isinstance(part, str))
        if self.room < 0:
            self.left_out += 1
            return
        name = message.get("id")
        names = {} if name is None else {"display_id": name}
        # The curve of a loop that runs again belongs to the cell that runs it now.
        again = message["kind"] == "update" and (name in self.shown or not name.startswith("graft-progress-"))
        what = "update_display_data" if again else "display_data"
        self.shown.add(name)
        self.send(what, data=message["data"], metadata={}, transient=names)

    on_update = on_display

    def on_result(self, message):
        self.output.flush()
        self.send("execute_result", data=message["data"], metadata={}, execution_count=self.kernel.execution_count)

    def on_clear(self, message):
        self.output.flush()
        self.send("clear_output", wait=message["wait"])

    def on_too_large(self, _):
        self.left_out += 1

    def close(self):
        self.output.close(self.cell)
        if self.left_out:
            self.send("stream", name="stdout", text=f"\n… {self.left_out:,} pictures of {self.cell} are left out: {PICTURES >> 20} MiB are kept\n")

    # --- of how it goes -------------------------------------------------------------------------------------------------

    def on_ready(self, message):
        self.kernel.memory = message["memory"]
        self.output.hold_all = False
        self.output.release()

    def on_thrown(self, message):
        self.thrown = message
        self.output.mute = True

    def on_try_again(self, _):
        self.output.take()

    def on_compiled(self, _):
        self.output.release()
        self.output.mute = False
        if self.thrown:
            self.error = (*words.exception(self.thrown["type"], self.thrown["text"], self.kernel.memory), [f"in {self.cell}"])

    def on_failed(self, _):
        self.error = words.compile_error(self.cell, self.code, self.output.take())
        if self.kernel.ended_by and re.search(MISSING, self.error[1]):  # most likely it was declared before that
            name, text, lines = self.error
            self.error = (name, f"{text}. {self.kernel.ended_by} ended the program before. {words.FRESH}", lines[:3])

    def on_refused(self, message):
        self.error = ("CompileError", f"{self.cell}, line {message['line']}: {message['text']}", [message["source"]])

    def on_done(self, _):
        pass
