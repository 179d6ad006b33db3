"""Columns of text. What nodes sent is shown without control characters."""

from __future__ import annotations

from collections.abc import Sequence


def plain(text: str) -> str:
    """Give text that does nothing to a terminal."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Give rows under their heads, each column as wide as it needs."""
    cells = [list(heads), *([plain(cell) for cell in row] for row in rows)]
    widths = [max(len(row[place]) for row in cells) for place in range(len(heads))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in cells]
    return "\n".join(line.rstrip() for line in lines)
