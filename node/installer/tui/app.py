"""The installer's screens on all consoles: each draws the same session, one of them drives."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from subprocess import Popen
from typing import Any

import urwid

from node.installer.tui.effects import Effects
from node.installer.tui.frame import frame, inside
from node.installer.tui.screens import Screens
from node.installer.tui.session import Session
from node.tui.loop import Loop, Worker
from node.tui.terminal import Terminal

TAKE_OVER = ("f4", "ctrl t")


class App:
    """Screens, loop and terminals together. `run` gives the exit code."""

    def __init__(self, session: Session, effects: Effects, terminals: Sequence[Terminal]) -> None:
        urwid.set_encoding("utf-8")
        self.driver = terminals[0].name if len(terminals) == 1 else ""
        self._loop = Loop(terminals, render=self.render, on_key=self.on_key)
        self._worker = Worker(self._loop)
        self.screens = Screens(session, effects, self)

    def run(self) -> int:
        """Show and serve until it is over."""
        try:
            self._loop.run()
        finally:
            self._loop.close()
        return self.screens.ended

    def render(self, terminal: Terminal, size: tuple[int, int]) -> Any:
        """Give what one terminal shows."""
        return frame(self.screens, terminal.look, size, follows=self._followed(terminal)).render(
            size, focus=True
        )

    def on_key(self, terminal: Terminal, size: tuple[int, int], key: str) -> None:
        """Take a key: of the console that drives, or one that takes over."""
        driving = next((one for one in self._loop.terminals if one.name == self.driver), None)
        if key in TAKE_OVER or driving is None or not driving.alive:
            self.driver = terminal.name
            if key in TAKE_OVER:
                return
        if terminal.name == self.driver:
            self.screens.keypress(inside(size), key)

    # What the screens need of the loop

    def submit(
        self, work: Callable[[], Any], done: Callable[[Any], None], failed: Callable[[Exception], None]
    ) -> None:
        """Do it in the thread."""
        self._worker.submit(work, done, failed)

    def watch(self, fd: int, call: Callable[[], None]) -> None:
        """Watch a descriptor."""
        self._loop.watch(fd, call)

    def unwatch(self, fd: int) -> None:
        """Watch it no more."""
        self._loop.unwatch(fd)

    def shell(self, start: Callable[[int], Popen[bytes]]) -> None:
        """Give the driving terminal away for as long as the shell runs; another may take over meanwhile."""
        for terminal in self._loop.terminals:
            if terminal.name == self.driver:
                self._loop.lend(terminal, partial(start, terminal.input_fd))

    def stop(self) -> None:
        """End the loop."""
        self._loop.stop()

    def _followed(self, terminal: Terminal) -> str:
        return self.driver if self.driver and self.driver != terminal.name else ""
