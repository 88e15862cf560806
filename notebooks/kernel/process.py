"""The process that runs the cells, from the kernel's side: started, given cells, interrupted, buried.

What it prints comes through two pipes, what it says (pictures, errors, the end of a cell) through a third, each message with its
length; the process waits for an answer to each, so pictures and text stay in order.
"""
import json
import os
import select
import signal
import struct
import subprocess
import sys
import time

import settings

OBEY = 3             # seconds that a cell has to heed an interrupt
LARGEST = 64 << 20   # of one message
PIPE = 1 << 20       # what lies in a pipe at most
EVERY = 0.05         # seconds


class Dead(Exception):
    """The process ended; code as subprocess has it."""

    def __init__(self, code, killed_by_us=False):
        super().__init__(code)
        self.code, self.killed_by_us = code, killed_by_us


class Process:
    def __init__(self):
        pipes = {name: os.pipe() for name in ("out", "err", "talk", "answers", "commands")}
        self.out, self.err, self.talk = (pipes[name][0] for name in ("out", "err", "talk"))
        self.answers, self.commands = pipes["answers"][1], pipes["commands"][1]
        theirs = pipes["talk"][1], pipes["answers"][0], pipes["commands"][0]
        words = [sys.executable, str(settings.HERE / "interpreter.py"), *map(str, theirs), str(os.getpid())]
        self.process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=pipes["out"][1], stderr=pipes["err"][1], pass_fds=theirs,
                                        start_new_session=True)
        for fd in (pipes["out"][1], pipes["err"][1], *theirs):
            os.close(fd)
        for fd in (self.out, self.err, self.talk):
            os.set_blocking(fd, False)
        self.open = {self.out, self.err, self.talk}
        self.wake, self.waker = os.pipe()
        self.rest = b""
        self.interrupts, self.last_interrupt = 0, 0.0
        self.is_ready = False

    def interrupt(self):
        """From a signal handler. The first asks, the second insists."""
        self.interrupts += 1
        os.write(self.waker, b"!")

    def kill(self):
        """It and what its cells started; from any thread."""
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            pass
        self.process.wait()

    def end(self):
        self.kill()
        for fd in (self.out, self.err, self.talk, self.answers, self.commands, self.wake, self.waker):
            os.close(fd)

    def run(self, code, name, show):
        """Runs a cell. show(message) gets all that comes of it; {"kind": "text", ...} is what it printed. Errors: Dead"""
        self.interrupts = 0
        if not self.is_ready:
            self.listen("ready", show)
            self.is_ready = True
        self.send({"code": code, "name": name})
        self.listen("done", show)

    def send(self, command):
        data = json.dumps(command).encode()
        data = struct.pack("<Q", len(data)) + data
        try:
            while data:
                data = data[os.write(self.commands, data):]
        except BrokenPipeError:
            pass  # listen() will see why

    def listen(self, last, show):
        asked = 0
        asked_at = None
        while True:
            readable = select.select([*self.open, self.wake], [], [], EVERY)[0]
            if self.wake in readable:
                os.read(self.wake, 4096)
                if asked == 0:
                    asked_at = time.monotonic()
                    if self.is_ready:  # before, Python would die of it
                        self.process.send_signal(signal.SIGINT)
                asked = self.interrupts
            if asked > 1 or (asked_at is not None and time.monotonic() - asked_at > OBEY):
                self.kill()
                self.drain(show)
                raise Dead(self.process.returncode, killed_by_us=True)
            for name, fd in (("stdout", self.out), ("stderr", self.err)):
                if fd in readable:
                    self.print(name, fd, show, 1 << 16)
            if self.talk in readable:
                for message in self.messages():
                    self.drain(show)
                    show(message)
                    self.answer()
                    if message["kind"] == last:
                        return
            show({"kind": "pause"})
            code = self.process.poll()
            if code is not None:
                self.drain(show)
                raise Dead(code)

    def print(self, name, fd, show, most):
        """Hands on what is in a pipe. Returns how much that was."""
        got = 0
        while got < most:
            try:
                data = os.read(fd, min(most, 1 << 16))
            except BlockingIOError:
                break
            if not data:
                self.open.discard(fd)
                break
            got += len(data)
            show({"kind": "text", "name": name, "data": data})
        return got

    def drain(self, show):
        self.print("stdout", self.out, show, PIPE)
        self.print("stderr", self.err, show, PIPE)

    def messages(self):
        try:
            data = os.read(self.talk, 1 << 16)
        except BlockingIOError:
            return
        if not data:
            self.open.discard(self.talk)
        self.rest += data
        while len(self.rest) >= 8:
            size = struct.unpack("<Q", self.rest[:8])[0]
            if len(self.rest) < 8 + size:
                self.rest = self.whole(size)
                if self.rest is None:
                    self.rest = b""
                    return
            text, self.rest = self.rest[8:8 + size], self.rest[8 + size:]
            yield self.read(text, size)

    def whole(self, size):
        """The rest of a message that has begun; the process is writing it. None: it died in the middle."""
        parts, have = [self.rest], len(self.rest)
        while have < 8 + size:
            select.select([self.talk], [], [], EVERY)
            if self.interrupts > 1:
                self.kill()
            try:
                data = os.read(self.talk, 1 << 20)
            except BlockingIOError:
                if self.process.poll() is not None:
                    return None
                continue
            if not data:
                return None
            have += len(data)
            parts.append(data if have <= LARGEST else b"")
        return b"".join(parts)

    @staticmethod
    def read(text, size):
        if size > LARGEST:
            return {"kind": "too large", "size": size}
        return json.loads(text)

    def answer(self):
        try:
            os.write(self.answers, b".")
        except BrokenPipeError:
            pass
