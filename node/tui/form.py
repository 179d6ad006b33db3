"""A page of rows: Tab from field to field, what is said of the one under the cursor, buttons below."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import urwid

from node.tui.rows import ButtonsRow, Row


class Form(urwid.WidgetWrap):
    """Rows that scroll, what is said of the row under the cursor, and buttons.

    It takes all keys but Escape, function keys and what nobody knows, which it hands on. `about_rows` is how
    many lines are kept for what is said; `on_enter` is called where Enter has nothing else to do, `on_left`
    whenever the cursor has left a row.
    """

    def __init__(
        self,
        rows: Sequence[Row],
        buttons: ButtonsRow,
        *,
        about_rows: int = 3,
        on_enter: Callable[[], None] = lambda: None,
        on_left: Callable[[], None] = lambda: None,
    ) -> None:
        self.walker = urwid.SimpleFocusListWalker([*rows])
        self.list = urwid.ListBox(self.walker)
        self.buttons = buttons
        self._about = urwid.Text("")
        self._on_enter = on_enter
        self._on_left = on_left
        self._about_rows = about_rows
        self._settled: tuple[int, ...] = ()
        self._first()
        self._pile = urwid.Pile(
            [
                ("weight", 1, self.list),
                ("pack", urwid.AttrMap(urwid.Divider("─"), "dim")),
                (about_rows, urwid.Filler(urwid.AttrMap(self._about, "dim"), valign="top")),
                ("pack", urwid.Padding(buttons, left=1)),
            ]
        )
        super().__init__(self._pile)
        if not any(row.selectable() for row in self.walker):
            self._pile.focus_position = 3
        self.tell()

    # The rows are settled for the size that there is.
    no_cache = ("render",)

    def render(self, size: tuple[int, ...], focus: bool = False) -> Any:
        """Draw; what stands above the cursor is shown from its beginning where it has room."""
        self._settle(size)
        return self._w.render(size, focus)

    @property
    def row(self) -> Row | None:
        """The row under the cursor; None where that is on the buttons."""
        if self._pile.focus_position == 3 or not len(self.walker):
            return None
        row: Row = self.walker[self.walker.focus]
        return row

    def rows(self) -> list[Row]:
        """Give all rows."""
        return list(self.walker)

    def replace(self, rows: Sequence[Row]) -> None:
        """Show other rows; the cursor stays where it is as far as that can be."""
        focus = self.walker.focus if len(self.walker) else 0
        group = self.row.group if self.row else ""
        self.walker[:] = list(rows)
        same = [n for n, row in enumerate(rows) if row.group == group and row.selectable()]
        if group and same and focus not in same:
            focus = same[0]
        if len(self.walker):
            self.walker.set_focus(min(focus, len(self.walker) - 1))
            if not self.walker[self.walker.focus].selectable():
                self._first()
        self._settled = ()
        self.tell()

    def go_to(self, group: str) -> bool:
        """Put the cursor on the first row of a group; False where there is none."""
        for number, row in enumerate(self.walker):
            if row.group == group and row.selectable():
                self._pile.focus_position = 0
                self.walker.set_focus(number)
                self.tell()
                return True
        return False

    def focus_buttons(self) -> None:
        """Put the cursor on the first button."""
        self.buttons.focus(0)
        self._to_buttons()

    def tell(self) -> None:
        """Say what is to be said of the row under the cursor."""
        row = self.row
        self._about.set_text(row.about if row and row.about else "")

    def leave(self) -> None:
        """Have the row under the cursor tell its value."""
        if self.row:
            self.row.left()

    def keypress(self, size: tuple[int, ...], key: str) -> str | None:
        """Move, edit, press."""
        before = self.row
        self._settle(size)
        left = self._keypress(size, key)
        if before is not None and before is not self.row:
            before.left()
            self._on_left()
        if self.row is not None and self.row is not before:
            self.row.entered()
        self.tell()
        return left

    def _keypress(self, size: tuple[int, ...], key: str) -> str | None:
        if key in ("tab", "shift tab"):
            self._move(1 if key == "tab" else -1)
            return None
        on_buttons = self.row is None
        left: str | None = self._pile.keypress(size, key)
        if left == "enter" and not on_buttons:
            self._enter()
        elif left == "up" and on_buttons:
            self._move(-1)
        elif left == "down":
            self._to_buttons()
        elif left != "up":
            return left
        return None

    def _enter(self) -> None:
        """Go to the next field; from the last one, on."""
        if not self._next_group(1):
            self.leave()
            self._on_enter()

    def _move(self, by: int) -> None:
        if self.row is None:
            if by > 0:
                self._pile.focus_position = 0
                self._first()
            else:
                self._last()
        elif not self._next_group(by):
            self._to_buttons()

    def _next_group(self, by: int) -> bool:
        if self.row is None:
            return False
        here = self.row.group
        places = range(self.walker.focus + by, len(self.walker) if by > 0 else -1, by)
        for number in places:
            row = self.walker[number]
            if row.selectable() and row.group != here:
                if by < 0:  # to the beginning of the group before
                    self.walker.set_focus(self._beginning(number))
                else:
                    self.walker.set_focus(number)
                return True
        return False

    def _settle(self, size: tuple[int, ...]) -> None:
        """After other rows or another size came: begin at the top, if the cursor is in sight from there.

        Consoles of several sizes share the rows, and each shall see the page's beginning.
        """
        if self._settled == size or not len(self.walker):
            return
        self._settled = size
        columns, rows = size[0], size[1] - self._about_rows - 2
        above = sum(self.walker[n].rows((columns,)) for n in range(self.walker.focus))
        here = self.walker[self.walker.focus].rows((columns,), True)
        if above + here <= rows:
            self.list.shift_focus((columns, rows), above)

    def _beginning(self, number: int) -> int:
        group = self.walker[number].group
        while number > 0 and self.walker[number - 1].group == group:
            number -= 1
        return number

    def _to_buttons(self) -> None:
        self._pile.focus_position = 3

    def _first(self) -> None:
        for number, row in enumerate(self.walker):
            if row.selectable():
                self.walker.set_focus(number)
                return

    def _last(self) -> None:
        for number in range(len(self.walker) - 1, -1, -1):
            if self.walker[number].selectable():
                self._pile.focus_position = 0
                self.walker.set_focus(number)
                return


def shown(widget: Any, size: tuple[int, int]) -> list[str]:
    """Give what a widget shows as lines of text, for tests and documents."""
    canvas = widget.render(size, focus=True)
    lines = ["".join(bytes(text).decode("utf-8") for _, _, text in row) for row in canvas.content()]
    return [line.rstrip() for line in lines]
