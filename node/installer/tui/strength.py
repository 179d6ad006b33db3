"""How hard a password is to guess, roughly: enough to warn, never to refuse."""

from __future__ import annotations

import math
import string
from enum import IntEnum
from itertools import pairwise

# The words that guessing begins with, beside the user's and the product's own.
_COMMON = frozenset(
    """
    password passwort heslo admin administrator root letmein welcome changeme secret qwerty qwertz asdfgh
    iloveyou monkey dragon master login abc123 123456 12345678 123456789 1234567890 111111 000000
    nodecrust node server default test guest
    """.split()  # noqa: SIM905 - they read best as words
)
_CLASSES = (string.ascii_lowercase, string.ascii_uppercase, string.digits, string.punctuation, " ")


class Strength(IntEnum):
    """In four steps."""

    WEAK = 1
    FAIR = 2
    GOOD = 3
    STRONG = 4


def strength(password: str, *, user: str = "") -> Strength:
    """Give the strength: of its length and its kinds of signs, less what repeats or is a known word."""
    plain = password.casefold()
    bare = plain.strip(string.digits + string.punctuation)
    if plain in _COMMON or bare in _COMMON or (user and bare == user.casefold()):
        return Strength.WEAK
    alphabet = sum(len(signs) for signs in _CLASSES if set(password) & set(signs))
    if any(not sign.isascii() for sign in password):
        alphabet += 100
    # A sign that follows its neighbour in the alphabet, or repeats, adds next to nothing.
    fresh = 1 + sum(abs(ord(a) - ord(b)) > 1 for a, b in pairwise(password))
    bits = min(len(password), fresh + 2) * math.log2(max(alphabet, 2))
    steps = ((40, Strength.WEAK), (55, Strength.FAIR), (75, Strength.GOOD))
    return next((step for limit, step in steps if bits < limit), Strength.STRONG)
