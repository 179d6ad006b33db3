from __future__ import annotations

import pytest

from node.installer.tui.strength import Strength, strength


@pytest.mark.parametrize(
    ("password", "wanted"),
    [
        ("admin", Strength.WEAK),
        ("Password123!", Strength.WEAK),
        ("boss1", Strength.WEAK),
        ("aaaaaaaaaaaaaaaa", Strength.WEAK),
        ("abcdefghijkl", Strength.WEAK),
        ("kXe7wq2p", Strength.FAIR),
        ("long and good", Strength.GOOD),
        ("correct horse battery", Strength.STRONG),
        ("příliš žluťoučký", Strength.STRONG),
    ],
)
def test_strength(password: str, wanted: Strength):
    assert strength(password, user="boss") is wanted
