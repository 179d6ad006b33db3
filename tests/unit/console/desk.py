"""An operator at a console without a terminal: keys go in, lines of text come out, and time is ours."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import urwid

from node.console.app import foot, head
from node.console.calls import Calls
from node.console.clerk import Clerk
from node.console.screens import TICK_S, Screens
from node.demo.console import DemoNode, recorded
from node.tui.form import shown

PASSWORD = "demo"
_SECONDS = re.compile(r"(In|Za) [45]\d (seconds|sekund)")


class Background:
    """Does at once what threads would do; `slow` keeps it until `answer`."""

    def __init__(self, calls: Calls) -> None:
        self.calls = calls
        self.at = 0.0
        self.code: int | None = None
        self.slow = False
        self._due: list[tuple[float, Callable[[], None]]] = []
        self._kept: list[Callable[[], None]] = []

    def read(self, work: Any, done: Any, failed: Any) -> None:
        def do() -> None:
            try:
                value = work(self.calls)
            except Exception as error:
                failed(error)
            else:
                done(value)

        if self.slow:
            self._kept.append(do)
        else:
            do()

    act = read

    def answer(self) -> None:
        kept, self._kept = self._kept, []
        for do in kept:
            do()

    def later(self, delay_s: float, call: Callable[[], None]) -> None:
        self._due.append((self.at + delay_s, call))

    def now(self) -> float:
        return self.at

    def stop(self, code: int) -> None:
        self.code = code

    def wait(self, seconds: float) -> None:
        until = self.at + seconds
        while self.at < until:
            self.at += TICK_S
            due = [call for at, call in self._due if at <= self.at]
            self._due = [each for each in self._due if each[0] > self.at]
            for call in due:
                call()


class Operator:
    def __init__(self, folder: Path, *, prompt: bool = True, size: tuple[int, int] = (80, 24), **seen: Any):
        urwid.set_encoding("utf-8")
        self.size = size
        self.node = DemoNode(folder, replace(recorded(), **seen))
        self.bg = Background(None)  # type: ignore[arg-type]
        around = replace(self.node.surroundings(), clock=self.bg.now)
        self.clerk = Clerk(around, user="" if prompt else "root")
        self.bg.calls = self.clerk
        self.screens = Screens(self.bg, self.node.sections, prompt=prompt)

    def press(self, *keys: str) -> Operator:
        columns, rows = self.size
        for key in keys:
            self.screens.keypress((columns, rows - 2), key)
        return self

    def type(self, text: str) -> Operator:
        return self.press(*text)

    def log_in(self) -> Operator:
        return self.press("f9").type(PASSWORD).press("enter")

    def page(self, key: str) -> Operator:
        if self.screens.in_page:
            self.press("esc")
        place = [page.key for page in self.screens.shown].index(key)
        return self.press("home", *["down"] * place)

    def lines(self) -> list[str]:
        columns, rows = self.size
        frame = urwid.Frame(
            self.screens.body((columns, rows - 2)),
            header=head(self.screens, "tty1", columns),
            footer=foot(self.screens, fingers=False),
        )
        return shown(frame, self.size)

    @property
    def picture(self) -> str:
        # The seconds of a trial are real ones, and a machine may be busy.
        return _SECONDS.sub(r"\1 60 \2", "\n".join(self.lines()) + "\n")

    @property
    def words(self) -> str:
        return " ".join(self.picture.replace("│", " ").split())

    def sees(self, *words: str) -> None:
        for word in words:
            assert word in self.words, self.picture
