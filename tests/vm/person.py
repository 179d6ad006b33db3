"""A person at the serial line: knows what is on the screen, and types keys."""

from __future__ import annotations

import time

import pyte

from node.testing.vm import Machine, MachineFailure
from node.testing.vm.patience import patient

SIZE = (80, 24)
KEYS = {
    "enter": "\r", "tab": "\t", "shift tab": "\x1b[Z", "up": "\x1b[A", "down": "\x1b[B", "space": " ",
    "left": "\x1b[D", "right": "\x1b[C", "ctrl u": "\x15", "ctrl l": "\x0c", "esc": "\x1b",
    # A serial line's way to say F2.
    "f2": "\x1b2", "f8": "\x1b8", "f9": "\x1b9", "f10": "\x1b0",
}  # fmt: skip
PATIENCE_S = 180.0
_BETWEEN_KEYS_S = 0.15
_PAINT_ANEW_S = 20.0


class Person:
    """Sits before a machine's first serial line from now on; has all painted anew to begin with."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._screen = pyte.Screen(*SIZE)
        self._stream = pyte.ByteStream(self._screen)
        self._log = machine.log.open("rb")
        self._log.seek(0, 2)
        self.press("ctrl l")

    def press(self, *keys: str) -> None:
        """Press keys, one after the other as fingers do."""
        for key in keys:
            self._machine.console.send(KEYS.get(key, key))
            time.sleep(_BETWEEN_KEYS_S)

    def see(self, *words: str, timeout_s: float = PATIENCE_S) -> None:
        """Wait until all of these are on the screen at once, wherever its lines end."""
        now = time.monotonic()
        until, again = now + patient(timeout_s), now + _PAINT_ANEW_S
        while missing := [word for word in words if word not in self.words]:
            if time.monotonic() > until or not self._machine.is_running:
                raise MachineFailure(f"{missing} are not on the screen:\n{self.text}")
            if time.monotonic() > again:
                # QEMU's serial line now and then doubles a byte when the machine that runs it is very busy.
                self.press("ctrl l")
                again += _PAINT_ANEW_S
            time.sleep(0.2)

    def miss(self, words: str, timeout_s: float = PATIENCE_S) -> None:
        """Wait until this is not on the screen."""
        until = time.monotonic() + patient(timeout_s)
        while words in self.words:
            if time.monotonic() > until:
                raise MachineFailure(f"'{words}' stays on the screen:\n{self.text}")
            time.sleep(0.2)

    @property
    def text(self) -> str:
        """What is on the screen."""
        try:
            self._stream.feed(self._log.read())
        except TypeError:
            # A sequence that was cut or doubled on its way: what a terminal passes over, pyte stumbles at.
            self._screen.reset()
            self._stream = pyte.ByteStream(self._screen)
            self.press("ctrl l")
        return "\n".join(line.rstrip() for line in self._screen.display)

    @property
    def words(self) -> str:
        """The same as one line."""
        return " ".join(self.text.split())

    def close(self) -> None:
        """Go away."""
        self._log.close()
