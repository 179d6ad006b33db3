"""Screens without a terminal: work is done at once, keys go straight in, what is shown comes as lines."""

from __future__ import annotations

from collections.abc import Sequence

import urwid

from node.demo.effects import demo_effects
from node.installer.flow import load_plugins
from node.installer.tui.frame import frame, inside
from node.installer.tui.screens import Screens
from node.installer.tui.session import Session
from node.model.answers import Layer
from node.model.problem import Problem
from node.testing.machines import machine
from node.tui.charset import to_ascii
from node.tui.terminal import Look

SMALL, LARGE = (80, 24), (132, 43)
HASH = "$y$j9T$F5Jx5fExrKuPp53xLKQ..1$X3DX6M94c7o.9agCG9G317fhZg9SqC.5i5rd.RhAtQ7"


class Desk:
    """Screens of a recorded machine, with a background that is done before anybody notices."""

    def __init__(
        self,
        name: str,
        layers: Sequence[Layer] = (),
        problems: Sequence[Problem] = (),
        *,
        talk=None,
    ) -> None:
        urwid.set_encoding("utf-8")
        self.session = Session(talk or load_plugins(), machine(name), layers, problems)
        self.stopped = False
        self.watched: dict[int, object] = {}
        effects = demo_effects(self.session.inventory, seconds=0.0, hash_with=lambda _text: HASH)
        self.screens = Screens(self.session, effects, self)

    def submit(self, work, done, failed) -> None:
        try:
            result = work()
        except Exception as error:
            failed(error)
        else:
            done(result)

    def watch(self, fd, call) -> None:
        self.watched[fd] = call

    def unwatch(self, fd) -> None:
        self.watched.pop(fd)

    def shell(self, work) -> None:
        work()

    def stop(self) -> None:
        self.stopped = True

    def press(self, *keys: str, size: tuple[int, int] = SMALL) -> None:
        """Press keys; a word of several letters that is no key's name is typed."""
        for key in keys:
            self.lines(size=size)  # a terminal draws between two keys
            self.screens.keypress(inside(size), key)

    def type(self, text: str) -> None:
        """Type a text."""
        self.press(*text)

    def lines(self, *, size: tuple[int, int] = SMALL, ascii_only: bool = False) -> list[str]:
        """Give the screen as lines."""
        canvas = frame(self.screens, Look(), size).render(size, focus=True)
        assert canvas.rows() == size[1]
        rows = ["".join(bytes(text).decode() for _, _, text in row) for row in canvas.content()]
        assert {urwid.calc_width(row, 0, len(row)) for row in rows} == {size[0]}
        return [to_ascii(row).rstrip() if ascii_only else row.rstrip() for row in rows]

    def text(self, *, size: tuple[int, int] = SMALL) -> str:
        """Give the screen as one text."""
        return "\n".join(self.lines(size=size)) + "\n"
