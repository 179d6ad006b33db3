"""One terminal: a canvas drawn onto it by what changed, keys read from it, and never a wait for it."""

from __future__ import annotations

import contextlib
import fcntl
import os
import struct
import termios
import tty
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from node.tui.charset import to_ascii, to_font
from node.tui.font import signs_of
from node.tui.keys import DIGIT_S, SEQUENCE_S, KeyReader
from node.tui.palette import sgr

DEFAULT_SIZE = (80, 24)
# urwid lays out down to nothing, but no page is of use below this.
_LEAST, _MOST = (40, 12), (400, 200)
# What a dead line has not taken by then is dropped: it gets the whole screen when it comes back to life.
_PENDING_BYTES = 256 << 10
_ENTER = "\x1b[?1049h\x1b[?7l\x1b[0m\x1b[2J"
_LEAVE = "\x1b[0m\x1b[2J\x1b[H\x1b[?7h\x1b[?25h\x1b[?1049l"

Segment = tuple[Any, str]
Row = tuple[Segment, ...]


@dataclass(frozen=True)
class Look:
    """What a terminal can show. `fingers` says that Escape and a digit may be typed for a function key."""

    utf8: bool = True
    colour: bool = True
    fingers: bool = False


class Terminal:
    """A terminal that nobody waits for: what it doesn't take yet is kept, and dropped when that grows."""

    def __init__(self, input_fd: int, output_fd: int, *, name: str, look: Look, owned: bool = False) -> None:
        self.name = name
        self.look = look
        self.input_fd = input_fd
        self.output_fd = output_fd
        self.alive = True
        self.keys = KeyReader(patience_s=DIGIT_S if look.fingers else SEQUENCE_S)
        self._owned = owned
        self._pending = bytearray()
        self._rows: list[Row] = []
        self._cursor: tuple[int, int] | None = None
        self._size = DEFAULT_SIZE
        self._saved: list[Any] | None = None
        self._signs: frozenset[str] | None = None
        self._blocking: dict[int, bool] = {}

    @classmethod
    def open(cls, path: Path, *, look: Look) -> Terminal | None:
        """Open a tty without waiting for a carrier; None where it can't be."""
        try:
            fd = os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
        except OSError:
            return None
        return cls(fd, fd, name=path.name, look=look, owned=True)

    def start(self) -> None:
        """Take the terminal over: raw, cleared."""
        for fd in {self.input_fd, self.output_fd}:
            self._blocking[fd] = os.get_blocking(fd)
            os.set_blocking(fd, False)
        with contextlib.suppress(termios.error, OSError):
            self._saved = termios.tcgetattr(self.input_fd)
            tty.setraw(self.input_fd)
        self._signs = signs_of(self.output_fd)
        self._put(_ENTER)
        self.forget()

    def stop(self) -> None:
        """Give the terminal back as it was."""
        self._put(_LEAVE)
        self.pump()
        if self._saved is not None:
            with contextlib.suppress(termios.error, OSError):
                termios.tcsetattr(self.input_fd, termios.TCSANOW, self._saved)
            self._saved = None
        for fd, blocking in self._blocking.items():
            with contextlib.suppress(OSError):
                os.set_blocking(fd, blocking)

    def close(self) -> None:
        """Let go of it for good."""
        self.stop()
        if self._owned:
            with contextlib.suppress(OSError):
                os.close(self.input_fd)

    def size(self) -> tuple[int, int]:
        """Give columns and rows as they are now; 80 by 24 where the line doesn't know."""
        with contextlib.suppress(OSError):
            rows, columns = struct.unpack("hh", fcntl.ioctl(self.output_fd, termios.TIOCGWINSZ, b"\0" * 4))
            if columns > 0 and rows > 0:
                return (
                    min(max(columns, _LEAST[0]), _MOST[0]),
                    min(max(rows, _LEAST[1]), _MOST[1]),
                )
        return DEFAULT_SIZE

    def forget(self) -> None:
        """Forget what it shows, so that the next drawing paints everything."""
        self._rows = []
        self._cursor = None

    def read(self) -> list[str]:
        """Give the keys that came; none for ever once the line was hung up."""
        try:
            data = os.read(self.input_fd, 4096)
        except BlockingIOError:
            return []
        except OSError:
            data = b""
        if not data:
            self.alive = False
            return []
        return self.keys.feed(data)

    def draw(self, canvas: Any, size: tuple[int, int]) -> None:
        """Show a canvas; only what is another than before is sent."""
        rows = [self._row(content) for content in canvas.content()]
        if size != self._size or len(rows) != len(self._rows):
            self._size = size
            self._rows = []
        if not self._rows:
            self._put("\x1b[0m\x1b[2J")
            self._rows = [()] * len(rows)
        changed = [
            self._line(number, old, new)
            for number, (old, new) in enumerate(zip(self._rows, rows, strict=True))
            if old != new
        ]
        cursor = canvas.cursor
        if changed or cursor != self._cursor:
            self._put("\x1b[?25l" + "".join(changed))
            if cursor:
                self._put(f"\x1b[{cursor[1] + 1};{cursor[0] + 1}H\x1b[?25h")
        self._rows, self._cursor = rows, cursor
        self.pump()

    @property
    def pending(self) -> bool:
        """Whether something waits to be written."""
        return bool(self._pending)

    def pump(self) -> None:
        """Write what it takes now."""
        while self._pending:
            try:
                written = os.write(self.output_fd, bytes(self._pending[:4096]))
            except BlockingIOError:
                return
            except OSError:
                # Hung up; it may come back.
                self._pending.clear()
                self.forget()
                return
            del self._pending[:written]

    def _line(self, number: int, old: Row, new: Row) -> str:
        """Give what turns one line into another: from the first segment that differs."""
        same = 0
        while same < min(len(old), len(new)) and old[same] == new[same]:
            same += 1
        column = sum(_width(text) for _, text in new[:same])
        words = "".join(sgr(attribute, colour=self.look.colour) + text for attribute, text in new[same:])
        # Clearing to the end first would flicker; every row is as wide as the screen.
        return f"\x1b[{number + 1};{column + 1}H{words}"

    def _row(self, content: Any) -> Row:
        found = []
        for attribute, _, data in content:
            text = bytes(data).decode("utf-8", "replace")
            if attribute == "qr" and not self.look.utf8:  # nobody can photograph it in letters
                text = " " * len(text)
            found.append((attribute, text))
        return tuple(found)

    def _put(self, text: str) -> None:
        if not self.look.utf8:
            text = to_ascii(text)
        elif self._signs is not None:
            text = to_font(text, self._signs)
        self._pending += text.encode("utf-8", "replace")
        if len(self._pending) > _PENDING_BYTES:
            self._pending.clear()
            self.forget()


def _width(text: str) -> int:
    import urwid  # noqa: PLC0415 - it knows how wide its own texts are

    return int(urwid.calc_width(text, 0, len(text)))


def look_of(term: str, charmap: str, *, serial: bool, no_colour: bool = False) -> Look:
    """Give what a terminal of this TERM and character set can show."""
    colourless = term in ("", "dumb", "vt100", "vt102", "vt220") or term.endswith("-m")
    return Look(
        utf8=charmap.lower().replace("-", "") == "utf8",
        colour=not (no_colour or colourless),
        fingers=serial or term.startswith("vt"),
    )
