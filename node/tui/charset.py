"""What a line that knows only ASCII shows: every sign by one that is as wide, so that nothing moves."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

# Lines and blocks of the screens; a letter loses its accents.
_SIGNS = str.maketrans(
    {
        **dict.fromkeys("─━═", "-"),
        **dict.fromkeys("│┃║", "|"),
        **dict.fromkeys("┌┐└┘├┤┬┴┼╭╮╰╯", "+"),
        **dict.fromkeys("█▓", "#"),
        **dict.fromkeys("▒▄▀", "="),
        **dict.fromkeys("░", "."),
        "●": "*", "○": ".", "✓": "x", "✗": "x", "▸": ">", "▾": "v", "…": ".", "•": "*", "·": ".", "→": ">",
        "«": "<", "»": ">", "„": '"', "\u201c": '"', "\u2019": "'", "\u2013": "-", "◂": "<",
        "↑": "^", "↓": "v",
    }
)  # fmt: skip


@lru_cache(maxsize=4096)
def to_ascii(text: str) -> str:
    """Give a text in ASCII, as many columns wide; a sign that has no likeness becomes a question mark."""
    text = text.translate(_SIGNS)
    return text if text.isascii() else "".join(map(_likeness, text))


def to_font(text: str, signs: frozenset[str]) -> str:
    """Give a text, as many columns wide, with what a font lacks as `to_ascii` has it."""
    if text.isascii():
        return text
    return "".join(sign if sign.isascii() or sign in signs else to_ascii(sign) for sign in text)


def _likeness(sign: str) -> str:
    if sign.isascii():
        return sign
    bare = unicodedata.normalize("NFKD", sign)[0]
    return bare if bare.isascii() else "?"
