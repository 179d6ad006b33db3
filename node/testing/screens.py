"""The installer's screens without a terminal: keys go straight in, what is shown comes as lines of text."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from subprocess import Popen
from typing import Any

import urwid

from node.demo.effects import demo_effects
from node.installer.contributions import PluginTalk
from node.installer.flow import load_plugins
from node.installer.tui.frame import frame, inside
from node.installer.tui.screens import Screens
from node.installer.tui.session import Session
from node.model.answers import Layer
from node.model.inventory import Inventory
from node.model.problem import Problem
from node.testing.machines import machine
from node.tui.charset import to_ascii
from node.tui.terminal import Look

SMALL, LARGE = (80, 24), (132, 43)
HASH = "$y$j9T$F5Jx5fExrKuPp53xLKQ..1$X3DX6M94c7o.9agCG9G317fhZg9SqC.5i5rd.RhAtQ7"


class Desk:
    """Screens of a machine, recorded or built, with a background that is done before anybody notices.

    `press` takes keys by urwid's names (`enter`, `down`, `f10`), `type` a text; `lines` and `text` give what
    is shown, 80 by 24 unless another `size` (columns, rows) is asked for. Nothing is written anywhere.
    """

    def __init__(
        self,
        name: str | Inventory,
        layers: Sequence[Layer] = (),
        problems: Sequence[Problem] = (),
        *,
        talk: PluginTalk | None = None,
    ) -> None:
        urwid.set_encoding("utf-8")
        inventory = machine(name) if isinstance(name, str) else name
        self.session = Session(talk or load_plugins(), inventory, layers, problems)
        self.stopped = False
        self.watched: dict[int, object] = {}
        effects = demo_effects(self.session.inventory, seconds=0.0, hash_with=lambda _text: HASH)
        self.screens = Screens(self.session, effects, self)

    def press(self, *keys: str, size: tuple[int, int] = SMALL) -> None:
        """Press keys, one after the other."""
        for key in keys:
            self.lines(size=size)  # a terminal draws between two keys
            self.screens.keypress(inside(size), key)

    def type(self, text: str) -> None:
        """Type a text."""
        self.press(*text)

    def show(self, page: str) -> None:
        """Go to a page by its key."""
        self.screens.show(page)

    def lines(self, *, size: tuple[int, int] = SMALL, ascii_only: bool = False) -> list[str]:
        """Give the screen as lines; AssertionError where it isn't as large as the terminal."""
        canvas = frame(self.screens, Look(), size).render(size, focus=True)
        assert canvas.rows() == size[1]
        rows = ["".join(bytes(text).decode() for _, _, text in row) for row in canvas.content()]
        assert {urwid.calc_width(row, 0, len(row)) for row in rows} == {size[0]}
        return [to_ascii(row).rstrip() if ascii_only else row.rstrip() for row in rows]

    def text(self, *, size: tuple[int, int] = SMALL) -> str:
        """Give the screen as one text."""
        return "\n".join(self.lines(size=size)) + "\n"

    # What the screens need of a loop

    def submit(
        self, work: Callable[[], Any], done: Callable[[Any], None], failed: Callable[[Exception], None]
    ) -> None:
        """Do it at once."""
        try:
            result = work()
        except Exception as error:
            failed(error)
        else:
            done(result)

    def watch(self, fd: int, call: Callable[[], None]) -> None:
        """Remember what is watched."""
        self.watched[fd] = call

    def unwatch(self, fd: int) -> None:
        """Forget it."""
        self.watched.pop(fd)

    def shell(self, start: Callable[[int], Popen[bytes]]) -> None:
        """There is no terminal to lend."""
        start(0)

    def stop(self) -> None:
        """Remember that it is over."""
        self.stopped = True
