"""The word that a misspelt one most likely means."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


def nearest(word: str, known: Iterable[str], *, cutoff: float = 0.6) -> str:
    """Give the nearest of the known words, "" where none is near."""
    near = get_close_matches(word, list(known), n=1, cutoff=cutoff)
    return near[0] if near else ""
