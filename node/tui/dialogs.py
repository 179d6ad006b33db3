"""What stands over a page for a while: a text to scroll, a list to pick from, a question."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import urwid

from node.locale import _
from node.tui.rows import PressRow


class TextDialog(urwid.WidgetWrap):
    """A text that scrolls; any key but those that scroll closes it."""

    def __init__(
        self, title: str, lines: Sequence[Any], close: Callable[[], None], *, end: bool = False
    ) -> None:
        self._close = close
        rows = [urwid.Text(line) for line in lines] or [urwid.Text("")]
        self._list = urwid.ListBox(urwid.SimpleListWalker(rows))
        if end:
            self._list.set_focus(len(rows) - 1)
        super().__init__(_boxed(title, self._list, _("Escape closes; the arrows scroll")))

    def keypress(self, size: tuple[int, ...], key: str) -> None:
        """Scroll or close."""
        if key in ("up", "down", "page up", "page down", "home", "end"):
            self._w.keypress(size, key)
        elif key in ("esc", "enter", " ", "f1", "f8", "q"):
            self._close()


class PickDialog(urwid.WidgetWrap):
    """A list to pick from; typing looks for what begins with it or holds it."""

    def __init__(
        self,
        title: str,
        options: Sequence[tuple[str, str]],
        *,
        value: str,
        pick: Callable[[str], None],
        close: Callable[[], None],
    ) -> None:
        self._options = tuple(options)
        self._pick = pick
        self._close = close
        self._typed = ""
        self._walker = urwid.SimpleFocusListWalker([self._row(*option) for option in self._options])
        values = [each for each, _words in self._options]
        if value in values:
            self._walker.set_focus(values.index(value))
        self._hint = urwid.Text("")
        self._tell()
        super().__init__(_boxed(title, urwid.ListBox(self._walker), self._hint))

    def keypress(self, size: tuple[int, ...], key: str) -> None:
        """Move, pick, look for, close."""
        if key == "esc":
            self._close()
        elif key == "backspace":
            self._look_for(self._typed[:-1])
        elif len(key) == 1 and key != " ":
            self._look_for(self._typed + key)
        else:
            self._w.keypress(size, key)

    def _row(self, value: str, words: str) -> PressRow:
        def press(_key: str) -> bool:
            self._close()
            self._pick(value)
            return True

        return PressRow(f" {words}", press, group="pick")

    def _look_for(self, typed: str) -> None:
        self._typed = typed
        wanted = typed.casefold()
        names = [f"{words} {value}".casefold() for value, words in self._options]
        begins = [n for n, name in enumerate(names) if name.startswith(wanted)]
        holds = [n for n, name in enumerate(names) if wanted in name]
        if found := begins or holds:
            self._walker.set_focus(found[0])
        self._tell()

    def _tell(self) -> None:
        found = f": {self._typed}" if self._typed else ""
        self._hint.set_text(_("Enter takes, Escape closes, letters look for it") + found)


class AskDialog(urwid.WidgetWrap):
    """A question with answers to press."""

    def __init__(
        self,
        title: str,
        text: Any,
        answers: Sequence[tuple[str, Callable[[], None]]],
        close: Callable[[], None],
    ) -> None:
        self._close = close
        rows: list[Any] = [urwid.Text(text), urwid.Divider()]
        rows += [PressRow(f"[ {words} ]", self._pressed(call), group="answer") for words, call in answers]
        walker = urwid.SimpleFocusListWalker(rows)
        walker.set_focus(2)
        super().__init__(_boxed(title, urwid.ListBox(walker), ""))

    def keypress(self, size: tuple[int, ...], key: str) -> None:
        """Choose, press, or close."""
        if key == "esc":
            self._close()
        else:
            self._w.keypress(size, {"tab": "down", "shift tab": "up"}.get(key, key))

    def _pressed(self, call: Callable[[], None]) -> Callable[[str], bool]:
        def press(_key: str) -> bool:
            self._close()
            call()
            return True

        return press


def over(dialog: Any, below: Any, size: tuple[int, int], *, rows: int = 0) -> Any:
    """Give a dialog over a page: small with so many rows, else as large as the screen allows."""
    columns, most = size
    return urwid.Overlay(
        dialog,
        below,
        align="center",
        width=min(columns - 4, 64 if rows else 100),
        valign="middle",
        height=min(most - 2, rows or 40),
    )


def _boxed(title: str, widget: Any, hint: Any) -> Any:
    footer = urwid.Text(hint) if isinstance(hint, str) else hint
    frame = urwid.Frame(widget, footer=urwid.AttrMap(footer, "dim"))
    return urwid.AttrMap(urwid.LineBox(urwid.Padding(frame, left=1, right=1), title=title), None)
