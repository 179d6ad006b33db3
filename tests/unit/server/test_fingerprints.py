"""Fingerprints as people copy them."""

from __future__ import annotations

import pytest

from node.model.fingerprint import shown
from server.certificates import grouped, read_fingerprint

DIGITS = "0123456789abcdef" * 4


@pytest.mark.parametrize(
    "text",
    [
        DIGITS,
        DIGITS.upper(),
        grouped(DIGITS),
        shown(DIGITS),
        f"  {shown(DIGITS)}\n",
        shown(DIGITS).replace(" ", "\n    "),
        f"sha256 Fingerprint={grouped(DIGITS).removeprefix('SHA256:').upper()}",
    ],
)
def test_every_way_of_writing_one_is_read(text: str) -> None:
    assert read_fingerprint(text) == DIGITS


@pytest.mark.parametrize("text", ["", "xyz", DIGITS[1:], DIGITS + "0", f"SHA1:{DIGITS}", DIGITS[:-1] + "g"])
def test_what_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="fingerprint"):
        read_fingerprint(text)
