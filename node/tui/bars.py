"""Bars: how a disk is divided, and how far something is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import urwid

_ATTRIBUTES = ("bar1", "bar2", "bar3", "bar4", "bar5")


class DiskBar(urwid.Widget):
    """Partitions side by side, each as wide as its share but never too narrow to be seen: two rows.

    `parts` are names and sizes; a name that has no room shows as far as it goes. Without colours the
    borders still tell the parts apart.
    """

    _sizing = frozenset([urwid.FLOW])

    def __init__(self, parts: Sequence[tuple[str, int]] = ()) -> None:
        super().__init__()
        self._parts = tuple(parts)

    def show(self, parts: Sequence[tuple[str, int]]) -> None:
        """Show other parts."""
        self._parts = tuple(parts)
        self._invalidate()

    def rows(self, size: tuple[int], focus: bool = False) -> int:
        """One row."""
        del size, focus
        return 1

    def render(self, size: tuple[int], focus: bool = False) -> Any:
        """Draw it over the whole width."""
        del focus
        (columns,) = size
        text = b""
        attributes: list[tuple[str | None, int]] = []
        for number, ((name, _), width) in enumerate(
            zip(self._parts, _shares(self._parts, columns), strict=True)
        ):
            piece = ("|" + name[: max(0, width - 1)].ljust(width - 1)).encode() if width else b""
            text += piece
            attributes.append((_ATTRIBUTES[number % len(_ATTRIBUTES)], len(piece)))
        if len(text) < columns:
            attributes.append((None, columns - len(text)))
            text = text.ljust(columns)
        return urwid.TextCanvas([text], [attributes], maxcol=columns)


def _shares(parts: Sequence[tuple[str, int]], columns: int) -> list[int]:
    """Give the columns of the parts: half of the bar is for names, so that each can be told."""
    least = max(2, min(5, columns // (2 * len(parts)))) if parts else 0
    return widths([size for _name, size in parts], columns, least=least)


def widths(sizes: Sequence[int], columns: int, *, least: int = 2) -> list[int]:
    """Give each size its columns, together `columns`: in proportion, `least` for each at the least."""
    if not sizes or columns < least * len(sizes):
        return [columns // len(sizes)] * len(sizes) if sizes else []
    total = sum(sizes) or 1
    free = columns - least * len(sizes)
    given = [least + free * size // total for size in sizes]
    given[max(range(len(sizes)), key=lambda place: sizes[place])] += columns - sum(given)
    return given


def progress(done: int, total: int, columns: int) -> list[tuple[str | None, str]]:
    """Give a bar as urwid's markup: full part, empty part, percent."""
    share = min(1.0, done / total) if total else 0.0
    room = max(columns - 5, 1)
    full = int(room * share)
    return [("done", "█" * full), ("dim", "░" * (room - full)), (None, f"{share:4.0%} ".rjust(5)[:5])]
