"""Rows of a table: cells in columns that grow with the screen, one row to be taken by Space or Enter."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import urwid

from node.tui.rows import Row


@dataclass(frozen=True)
class Column:
    """A column: its head, the columns it has at least, and its share of what a wider screen has."""

    head: str
    width: int
    share: int = 0


class _Cells(urwid.WidgetWrap):
    """Cells that are laid out for the width that there is."""

    no_cache = ("render", "rows")
    _selectable = False

    def __init__(self, columns: Sequence[Column], cells: Sequence[Any]) -> None:
        self._columns = tuple(columns)
        self._texts = [urwid.Text(cell, wrap="ellipsis") for cell in cells]
        super().__init__(self._texts[0])

    def change(self, place: int, cell: Any) -> None:
        """Show something else in a cell."""
        self._texts[place].set_text(cell)
        self._invalidate()

    def rows(self, size: tuple[int], focus: bool = False) -> int:
        """One."""
        del size, focus
        return 1

    def render(self, size: tuple[int], focus: bool = False) -> Any:
        """Draw as many columns as have room; the last ones go first."""
        (maxcol,) = size
        widths = _widths(self._columns, maxcol)
        parts = [(width, text) for width, text in zip(widths, self._texts, strict=True) if width]
        return urwid.Columns(parts, dividechars=1).render(size, focus)


class TableRow(Row):
    """A row of a table; `on_press` gets the key, Space or Enter, and says whether it took it."""

    def __init__(
        self,
        columns: Sequence[Column],
        cells: Sequence[Any],
        *,
        on_press: Callable[[str], bool],
        group: str,
        about: str | list[Any] = "",
        attribute: str | None = None,
    ) -> None:
        self.group = group
        self.about = about
        self._on_press = on_press
        self._cells = _Cells(columns, cells)
        super().__init__(urwid.AttrMap(self._cells, attribute, "focus"))

    def change(self, place: int, cell: Any) -> None:
        """Show something else in a cell."""
        self._cells.change(place, cell)

    def selectable(self) -> bool:
        """Rows are there to be taken."""
        return True

    def keypress(self, size: tuple[int, ...], key: str) -> str | None:
        """Take it, or hand the key on."""
        del size
        return None if key in (" ", "enter") and self._on_press(key) else key


class TableHead(Row):
    """The heads of the columns."""

    def __init__(self, columns: Sequence[Column]) -> None:
        super().__init__(urwid.AttrMap(_Cells(columns, [column.head for column in columns]), "title"))

    def selectable(self) -> bool:
        """Nothing to do here."""
        return False


def _widths(columns: Sequence[Column], maxcol: int) -> list[int]:
    """Give each column its width, 0 to those at the end that have no room."""
    widths: list[int] = []
    used = 0
    for column in columns:
        fits = used + column.width + (1 if widths else 0) <= maxcol
        widths.append(column.width if fits and 0 not in widths else 0)
        used += widths[-1] + 1 if widths[-1] else 0
    free = maxcol - (used - 1)
    shares = sum(column.share for column, width in zip(columns, widths, strict=True) if width)
    given = [
        width + free * column.share // shares if width and shares else width
        for column, width in zip(columns, widths, strict=True)
    ]
    rest = maxcol - sum(given) - (sum(1 for width in given if width) - 1)
    sharing = [n for n, column in enumerate(columns) if given[n] and column.share]
    if sharing and rest > 0:
        given[sharing[-1]] += rest
    return given
