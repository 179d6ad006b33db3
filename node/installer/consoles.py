"""Every console at once: words that reach those that listen, and lines from whoever types first."""

from __future__ import annotations

import contextlib
import os
import select
import termios
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

ACTIVE = Path("/sys/class/tty/console/active")
# A dead serial line takes nothing: what waits for it is bounded, the oldest goes first.
_PENDING_BYTES = 64 << 10
FLUSH_TIMEOUT_S = 3.0


class Consoles:
    """The kernel's consoles, opened without waiting. No write blocks: what one doesn't take yet, waits."""

    def __init__(self, paths: Iterable[Path], *, log: Path | None = None) -> None:
        self._consoles = [console for path in paths if (console := _Console.open(path))]
        self._log = log

    @property
    def can_ask(self) -> bool:
        """Whether anybody could answer."""
        return bool(self._consoles)

    def say(self, *lines: str) -> None:
        """Write lines to every console and to the log."""
        for line in lines:
            for console in self._consoles:
                console.put(f"{line}\n".encode())
            self._write_log(line)
        self.pump()

    def pump(self) -> None:
        """Write what the consoles take now."""
        for console in self._consoles:
            console.pump()

    def flush(self, timeout_s: float = FLUSH_TIMEOUT_S) -> None:
        """Write out what waits, as far as the time allows."""
        until = time.monotonic() + timeout_s
        while (waiting := [c for c in self._consoles if c.pending]) and time.monotonic() < until:
            select.select([], [c.descriptor for c in waiting], [], 0.1)
            self.pump()

    def ask(self, prompt: str, *, timeout_s: float | None = None) -> str | None:
        """Show a prompt on every console and give the first line typed on any; None when the time is over.

        Without a console that can be read this waits for the time, or for ever.
        """
        for console in self._consoles:
            console.forget_typed()
            console.put(prompt.encode())
        until = None if timeout_s is None else time.monotonic() + timeout_s
        while until is None or time.monotonic() < until:
            self.pump()
            readable = [c.descriptor for c in self._consoles if c.readable]
            left = 1.0 if until is None else max(0.0, min(1.0, until - time.monotonic()))
            ready, _, _ = select.select(readable, [], [], 0.1 if self._waiting() else left)
            for console in self._consoles:
                if console.descriptor in ready and (line := console.read_line()) is not None:
                    self._write_log(prompt + line)
                    return line
        self.say("")
        return None

    def close(self) -> None:
        """Flush and let go."""
        self.flush()
        for console in self._consoles:
            console.close()

    def _waiting(self) -> bool:
        return any(console.pending for console in self._consoles)

    def _write_log(self, line: str) -> None:
        if self._log:
            with contextlib.suppress(OSError), self._log.open("a", encoding="utf-8") as log:
                log.write(f"{line}\n")


class _Console:
    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        self.pending = bytearray()
        self.readable = True
        self._typed = b""

    @classmethod
    def open(cls, path: Path) -> _Console | None:
        try:
            # A tty opened like this neither waits for a carrier nor becomes the controlling one.
            descriptor = os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
        except OSError:
            return None
        console = cls(descriptor)
        console._make_sane()
        return console

    def put(self, data: bytes) -> None:
        self.pending += data
        if len(self.pending) > _PENDING_BYTES:
            del self.pending[: len(self.pending) - _PENDING_BYTES]

    def pump(self) -> None:
        while self.pending:
            try:
                written = os.write(self.descriptor, bytes(self.pending[:4096]))
            except OSError as error:
                if not isinstance(error, BlockingIOError):
                    # The line was hung up; it may come back, but what waited is of no use then.
                    self.pending.clear()
                return
            del self.pending[:written]

    def read_line(self) -> str | None:
        try:
            data = os.read(self.descriptor, 4096)
        except BlockingIOError:
            return None
        except OSError:
            data = b""
        if not data:
            # Hung up: always readable and never with anything.
            self.readable = False
            return None
        self._typed += data
        line, newline, rest = self._typed.replace(b"\r", b"\n").partition(b"\n")
        if not newline:
            return None
        self._typed = rest
        return line.decode("utf-8", "replace").strip()

    def forget_typed(self) -> None:
        """Drop what was typed before there was a question: it must not answer one."""
        self._typed = b""
        with contextlib.suppress(termios.error, OSError):
            termios.tcflush(self.descriptor, termios.TCIFLUSH)

    def close(self) -> None:
        os.close(self.descriptor)

    def _make_sane(self) -> None:
        """Lines, echo and carriage returns, whatever the last program left behind."""
        with contextlib.suppress(termios.error, OSError):
            attributes = termios.tcgetattr(self.descriptor)
            attributes[0] |= termios.ICRNL
            attributes[1] |= termios.OPOST | termios.ONLCR
            attributes[3] |= termios.ICANON | termios.ECHO | termios.ECHOE
            termios.tcsetattr(self.descriptor, termios.TCSANOW, attributes)


def active_consoles(active: Path = ACTIVE, folder: Path = Path("/dev")) -> Sequence[Path]:
    """Give the kernel's consoles as device files; tty0, whatever is in front, is the first terminal."""
    try:
        names = active.read_text(encoding="ascii").split()
    except OSError:
        return []
    return [folder / ("tty1" if name == "tty0" else name) for name in dict.fromkeys(names)]
