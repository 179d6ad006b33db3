"""A person at a terminal: the screens in a process of their own, on a pseudo terminal that pyte reads."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from pathlib import Path

import pyte

_PROGRAM = """
import sys
from node.demo.run import run_demo
from node.installer.flow import read_file
from pathlib import Path
from node.testing.machines import machine
layers, problems = [], ()
if sys.argv[2]:
    layer, problems = read_file(Path(sys.argv[2]))
    layers = [layer]
sys.exit(run_demo(machine(sys.argv[1]), layers=layers, problems=problems, seconds=0.3, fails_at=sys.argv[3]))
"""
KEYS = {
    "enter": "\r", "tab": "\t", "shift tab": "\x1b[Z", "esc": "\x1b", "up": "\x1b[A", "down": "\x1b[B",
    "left": "\x1b[D", "right": "\x1b[C", "space": " ", "f1": "\x1bOP", "f2": "\x1bOQ", "f4": "\x1bOS",
    "f5": "\x1b[15~", "f8": "\x1b[19~", "f10": "\x1b[21~", "backspace": "\x7f", "ctrl u": "\x15",
    "page up": "\x1b[5~",
}  # fmt: skip
# A busy machine is no reason to fail.
PATIENCE_S = 60.0


class Person:
    """Types keys and waits for what is shown; nothing is known but the screen."""

    def __init__(
        self,
        machine: str,
        *,
        answers: Path | None = None,
        size: tuple[int, int] = (80, 24),
        term: str = "xterm",
        charset: str = "C.UTF-8",
        fails_at: str = "",
        argv: list[str] | None = None,
    ) -> None:
        self.screen = pyte.Screen(*size)
        self._stream = pyte.ByteStream(self.screen)
        self._master, slave = pty.openpty()
        self.raw = b""
        self.resize(*size, tell=False)
        argv = argv or [sys.executable, "-c", _PROGRAM, machine, str(answers or ""), fails_at]
        environment = {**os.environ, "TERM": term, "LC_ALL": charset, "NODECRUST_PLUGINS": ""}
        environment.pop("NO_COLOR", None)
        self.process = subprocess.Popen(
            argv, stdin=slave, stdout=slave, stderr=subprocess.PIPE, env=environment, start_new_session=True
        )
        os.close(slave)

    def __enter__(self) -> Person:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.process.stderr.close()
        os.close(self._master)

    def press(self, *keys: str) -> None:
        """Press keys, one after the other as fingers do."""
        for key in keys:
            os.write(self._master, KEYS.get(key, key).encode())
            self._read(0.25 if key == "esc" else 0.02)

    def see(self, *words: str) -> None:
        """Wait until all of these are on the screen at once."""
        until = time.monotonic() + PATIENCE_S
        while not all(word in self.text or word in self.words for word in words):
            if time.monotonic() > until or (self.process.poll() is not None and not self._read(0.1)):
                missing = [word for word in words if word not in self.text and word not in self.words]
                raise AssertionError(f"{missing} are not on the screen:\n{self.text}\n{self._errors()}")
            self._read(0.05)

    def miss(self, *words: str) -> None:
        """Wait until none of these is on the screen."""
        until = time.monotonic() + PATIENCE_S
        while found := [word for word in words if word in self.text]:
            assert time.monotonic() < until, f"{found} stay on the screen:\n{self.text}"
            self._read(0.05)

    def resize(self, columns: int, rows: int, *, tell: bool = True) -> None:
        """Make the window another size."""
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("hhhh", rows, columns, 0, 0))
        if tell:
            self.screen.resize(rows, columns)

    def end(self) -> int:
        """Wait for the end; give the exit code."""
        until = time.monotonic() + PATIENCE_S
        while self.process.poll() is None:
            assert time.monotonic() < until, f"it does not end:\n{self.text}"
            self._read(0.05)
        return self.process.returncode

    @property
    def text(self) -> str:
        """What is on the screen."""
        return "\n".join(line.rstrip() for line in self.screen.display)

    @property
    def words(self) -> str:
        """What is on the screen, wherever its lines end."""
        return " ".join(self.text.split())

    def _read(self, wait_s: float) -> bool:
        ready, _, _ = select.select([self._master], [], [], wait_s)
        if not ready:
            return False
        try:
            data = os.read(self._master, 65536)
        except OSError:
            return False
        self.raw += data
        self._stream.feed(data)
        return True

    def _errors(self) -> str:
        if self.process.poll() is None:
            return ""
        return self.process.stderr.read().decode(errors="replace")
