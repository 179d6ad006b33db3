"""Hides password hashes in whatever is shown or kept."""

from __future__ import annotations

import re

MASK = "********"
# What crypt(5) writes, so that a hash is masked even where a command echoes a part of what it was given.
_HASH = re.compile(r"\$(?:y|gy|7|6|5|2[abxy]|1|sha1|md5)\$[^\s'\":]{4,}")


def mask_hashes(text: str) -> str:
    """Give the text with stars in place of every password hash."""
    return _HASH.sub(MASK, text)
