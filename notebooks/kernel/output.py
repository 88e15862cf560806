"""What a cell prints, on its way to the reader: whole characters, not too many messages, and not more than a page can hold."""
import codecs
import re
import time

MOST = 1 << 20   # bytes of a cell's text that are kept
EVERY = 0.05     # seconds that text waits for more
HOLD = 10        # seconds that what the compiler says is held back: it may become the error itself
MOMENT = 0.2
COMPILER = re.compile(r"(cell \[\d+\]|input_line_\d+|/[^\s:]+|In file included from [^\n]*?):\d+(:\d+)?[:,]")


class Output:
    def __init__(self, send):
        self.send = send  # send(stream, text)
        self.decoders = {name: codecs.getincrementaldecoder("utf-8")("replace") for name in ("stdout", "stderr")}
        self.waiting, self.waiting_for, self.waiting_since = "", None, 0.0
        self.kept = {"stdout": 0, "stderr": 0}
        self.lost = {"stdout": 0, "stderr": 0}
        self.held, self.held_since, self.line_begins = "", 0.0, True
        self.hold_all = False  # until the process has started
        self.mute = False  # Cling repeats on stderr what an exception said

    def text(self, name, data):
        if name == "stderr" and self.mute:
            return
        room = MOST - self.kept[name]
        self.lost[name] += max(0, len(data) - room)
        data = data[:max(0, room)]
        self.kept[name] += len(data)
        text = self.decoders[name].decode(data)
        if name == "stderr" and text and (self.held or self.line_begins):
            if not self.held:
                self.held_since = time.monotonic()
            self.held += text
            self.decide()
            return
        self.add(name, text)

    def decide(self):
        """Is what is held of the compiler's making? It writes in small pieces: the first line, or a moment, tells."""
        waited = time.monotonic() - self.held_since
        if self.hold_all or (COMPILER.match(self.held) and waited < HOLD):
            return
        if "\n" in self.held or waited > MOMENT:
            self.release()

    def add(self, name, text):
        if not text:
            return
        if name == "stderr":
            self.line_begins = text.endswith("\n")
        if name != self.waiting_for:
            self.flush()
            self.waiting_for = name
        if not self.waiting:
            self.waiting_since = time.monotonic()
        self.waiting += text
        self.pause()

    def pause(self):
        """Called now and then: what has waited long enough goes out."""
        now = time.monotonic()
        if self.held:
            self.decide()
        if self.waiting and (now - self.waiting_since > EVERY or len(self.waiting) > 1 << 16):
            self.flush()

    def flush(self):
        if self.waiting:
            self.send(self.waiting_for, self.waiting)
            self.waiting = ""

    def release(self):
        """What the compiler said were warnings."""
        held, self.held = self.held, ""
        self.add("stderr", held)

    def take(self):
        """What the compiler said was the error."""
        held, self.held = self.held, ""
        return held

    def close(self, cell):
        self.release()
        self.flush()
        for name, lost in self.lost.items():
            if lost:
                self.send(name, f"\n… {lost:,} bytes more of {cell}'s {name} are left out: {MOST >> 20} MiB is kept\n")
