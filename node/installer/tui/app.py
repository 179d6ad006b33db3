"""The installer's screens on all consoles: each draws the same session, one of them drives."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import urwid

from node.installer.tui.effects import Effects
from node.installer.tui.screens import Screens
from node.installer.tui.session import Session
from node.locale import _
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
        columns, rows = size
        body = urwid.Padding(self.screens.body((columns - 2, rows - 3)), left=1, right=1)
        frame = urwid.Frame(
            body,
            header=urwid.Pile([_head(self.screens, columns), urwid.Divider()]),
            footer=self._foot(terminal),
        )
        return frame.render(size, focus=True)

    def on_key(self, terminal: Terminal, size: tuple[int, int], key: str) -> None:
        """Take a key: of the console that drives, or one that takes over."""
        driving = next((one for one in self._loop.terminals if one.name == self.driver), None)
        if key in TAKE_OVER or driving is None or not driving.alive:
            self.driver = terminal.name
            if key in TAKE_OVER:
                return
        if terminal.name == self.driver:
            columns, rows = size
            self.screens.keypress((columns - 2, rows - 3), key)

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

    def shell(self, work: Callable[[], None]) -> None:
        """Give the driving terminal away for as long as the shell runs."""
        for terminal in self._loop.terminals:
            if terminal.name == self.driver:
                self._loop.suspend(terminal, work)

    def stop(self) -> None:
        """End the loop."""
        self._loop.stop()

    def _foot(self, terminal: Terminal) -> Any:
        if self.driver and terminal.name != self.driver:
            key = "Esc 4" if terminal.look.fingers else "F4"
            words = _("This console follows {name}. {key} takes over here.")
            return urwid.AttrMap(
                urwid.Text(f" {words.replace('{name}', self.driver).replace('{key}', key)}"), "danger"
            )
        if self.screens.message:
            return urwid.AttrMap(urwid.Text(f" {self.screens.message}", wrap="ellipsis"), "danger")
        names = {"1": _("Help"), "2": _("Shell"), "8": _("Log"), "10": _("Summary")}
        pieces: list[Any] = []
        for number, words in names.items():
            key = f"Esc {number[-1]}" if terminal.look.fingers else f"F{number}"
            pieces += [("key", f" {key}"), ("foot", f" {words} ")]
        pieces += [("key", " Esc"), ("foot", f" {_('Back')} ")]
        return urwid.AttrMap(urwid.Text(pieces, wrap="clip"), "foot")


def _head(screens: Screens, columns: int) -> Any:
    left = f" Nodecrust  {screens.title}"
    right = " ".join(
        part for part in (_("DEMONSTRATION") if screens.effects.demo else "", screens.place) if part
    )
    gap = max(1, columns - len(left) - len(right) - 1)
    return urwid.AttrMap(urwid.Text(f"{left}{' ' * gap}{right} ", wrap="clip"), "head")
