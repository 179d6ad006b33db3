"""A serial line of a guest: everything it says is read at once, so that a slow reader never stops the guest.

(pexpect reads only while somebody waits; a kernel whose console nobody reads stands still.)
"""

from __future__ import annotations

import re
import socket
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn

from node.testing.vm.patience import patient

_ESCAPE = re.compile(
    r"\x1b(?:\[[0-?]*[ -/]*[@-~]"  # CSI: colours, cursor
    r"|[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)"  # OSC and other strings
    r"|[()*+][0-9A-Za-z]|[ -/]?[0-Z\\-~])"  # character sets and two-character codes
)
_OPEN_ESCAPE = re.compile(r"\x1b(?:\[[0-?]*[ -/]*|[\]PX^_][^\x07\x1b]*\x1b?|[()*+ -/]?)\Z")
#: systemd moves the cursor instead of ending a line.
_NEW_LINE = re.compile(r"\r\n|\x1b\[\d*;?\d*[Hf]|\x1b\[\d*E")
TAIL_LINES = 40


class MachineFailure(AssertionError):
    """A machine didn't do what was waited for. The message carries the end of its serial log."""


def plain_text(raw: str) -> str:
    """``raw`` without escape codes and carriage returns; a cursor that is moved begins a new line."""
    return _ESCAPE.sub("", _NEW_LINE.sub("\n", raw)).replace("\r", "").replace("\x00", "")


def tail_of(text: str, lines: int = TAIL_LINES) -> str:
    """The last ``lines`` lines of ``text`` that hold something."""
    return "\n".join([line for line in plain_text(text).split("\n") if line.strip()][-lines:])


class Console:
    """The reading and writing end of a serial line.

    ``expect`` goes forward: what it returned or skipped is never matched again. ``on_line`` is called from
    the reading thread with every whole line.
    """

    def __init__(
        self,
        name: str,
        path: Path,
        log: Path,
        *,
        on_line: Callable[[str], None] | None = None,
        is_alive: Callable[[], bool] = lambda: True,
    ) -> None:
        self.name = name
        self.log = log
        self._on_line = on_line
        self._is_alive = is_alive
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.connect(str(path))
        self._text = ""
        self._position = 0
        self._changed = threading.Condition()
        self._reader = threading.Thread(target=self._read, name=f"serial line {name}", daemon=True)
        self._reader.start()

    def send(self, text: str) -> None:
        """Type ``text``, without a line's end."""
        self._socket.sendall(text.encode())

    def send_line(self, text: str = "") -> None:
        """Type ``text`` and press Enter."""
        self.send(text + "\r")

    def expect(
        self,
        wanted: str | re.Pattern[str],
        *,
        timeout_s: float,
        unless: Sequence[str | re.Pattern[str]] = (),
    ) -> re.Match[str]:
        """Wait until the guest says ``wanted`` (a text as it stands, or a pattern); give the match.

        Fails at once when it says one of ``unless`` before, or when the machine is gone.
        """
        pattern, words = _pattern(wanted), wanted if isinstance(wanted, str) else wanted.pattern
        refused = [_pattern(bad) for bad in unless]
        timeout_s = patient(timeout_s)
        deadline = time.monotonic() + timeout_s
        with self._changed:
            while True:
                found = pattern.search(self._text, self._position)
                end = found.start() if found else len(self._text)
                for bad in refused:
                    if earlier := bad.search(self._text, self._position, end):
                        self._fail(f"said {earlier.group()!r} while {words!r} was waited for")
                if found:
                    self._position = found.end()
                    return found
                remaining_s = deadline - time.monotonic()
                if remaining_s <= 0:
                    self._fail(f"didn't say {words!r} within {timeout_s:g} s")
                if not self._is_alive():
                    self._fail(f"ended while {words!r} was waited for")
                self._changed.wait(min(remaining_s, 1.0))

    def said(self, wanted: str | re.Pattern[str]) -> bool:
        """Whether the guest has ever said ``wanted``, also before the last match."""
        return _pattern(wanted).search(self.text) is not None

    @property
    def text(self) -> str:
        """All that was said since this console was opened, without escape codes."""
        with self._changed:
            return self._text

    def forget(self) -> None:
        """Skip all that was said so far."""
        with self._changed:
            self._position = len(self._text)

    def tail(self, lines: int = TAIL_LINES) -> str:
        """The last lines that the guest said."""
        return tail_of(self.text, lines)

    def close(self) -> None:
        """Hang up. The guest's line goes on and its log too."""
        self._socket.close()

    def _fail(self, what: str) -> NoReturn:
        raise MachineFailure(
            f"{self.name} {what}; its log is {self.log}, the end of it:\n{tail_of(self._text)}"
        )

    def _read(self) -> None:
        pending, line = "", ""
        while True:
            try:
                chunk = self._socket.recv(65536)
            except OSError:
                return
            if not chunk:
                return
            raw = pending + chunk.decode("utf-8", "replace")
            half = _OPEN_ESCAPE.search(raw)
            # A \r may be the first half of \r\n; an escape code may be cut in two.
            cut = half.start() if half else len(raw) - raw.endswith("\r")
            pending, fresh = raw[cut:], plain_text(raw[:cut])
            with self._changed:
                self._text += fresh
                self._changed.notify_all()
            *whole, line = (line + fresh).split("\n")
            if self._on_line:
                for one in whole:
                    if one.strip():
                        self._on_line(one.rstrip())


def _pattern(wanted: str | re.Pattern[str]) -> re.Pattern[str]:
    return re.compile(re.escape(wanted)) if isinstance(wanted, str) else wanted
