"""The Jupyter kernel: it passes cells on to a process that runs them, and what comes of them to the reader."""
import atexit
import signal
import threading

from ipykernel.kernelbase import Kernel

import words
from output import Output
from process import Dead, Process


class CppKernel(Kernel):
    implementation, implementation_version = "graft", "1"
    banner = "C++17, by Cling on Clang 9"
    language_info = {"name": "c++", "version": "17", "mimetype": "text/x-c++src", "codemirror_mode": "text/x-c++src", "file_extension": ".cpp"}

    def __init__(self, **more):
        super().__init__(**more)
        self.memory, self.ended_by = None, None
        self.process = Process()
        atexit.register(self.end)

    def end(self):
        process, self.process = self.process, None
        if process is not None:
            process.end()

    def do_shutdown(self, restart):
        self.end()
        return {"status": "ok", "restart": restart}

    def do_execute(self, code, silent, store_history=True, user_expressions=None, allow_stdin=False, **_):
        if not code.strip():
            return self.fine()
        cell = f"cell [{self.execution_count}]"
        run = Run(self, cell, silent)
        run.output.hold_all = not self.process.is_ready
        before = None
        if threading.current_thread() is threading.main_thread():
            before = signal.signal(signal.SIGINT, lambda *_: self.process.interrupt())
        try:
            self.process.run(code, cell, run.show)
        except Dead as dead:
            run.error = words.death(cell, dead) if self.process.is_ready else words.no_start(run.output.take(), dead)
            self.ended_by = cell if self.process.is_ready else None
            self.process.end()
            self.process = Process()
        finally:
            if before is not None:
                signal.signal(signal.SIGINT, before)
        run.output.close(cell)
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

    def __init__(self, kernel, cell, silent):
        self.kernel, self.cell, self.silent = kernel, cell, silent
        self.output = Output(lambda name, text: self.send("stream", name=name, text=text))
        self.thrown = self.error = None
        self.shown = set()

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

    def on_too_large(self, message):
        self.output.add("stdout", f"\n… a picture of {message['size']:,} bytes is left out\n")

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
            self.error = (*words.exception(self.cell, self.thrown["type"], self.thrown["text"], self.kernel.memory), [f"in {self.cell}"])

    def on_failed(self, _):
        self.error = words.compile_error(self.cell, self.output.take())
        if self.kernel.ended_by:
            self.error[2].append(f"{self.kernel.ended_by} ended the program before. {words.FRESH}")

    def on_refused(self, message):
        self.error = ("CompileError", f"{self.cell}, line {message['line']}: {message['text']}", [message["source"]])

    def on_done(self, _):
        pass
