"""What tells one machine from another."""

from __future__ import annotations

import pytest

from server.identity import Identity, read_identity, read_mac

UUID = "8d3a1f42-9d11-4f19-8a67-0242ac110002"


@pytest.mark.parametrize(
    ("said", "marks"),
    [
        ((UUID.upper(), "ACME", "S1", ["00:25:90:00:00:01"]), (f"uuid:{UUID}",)),
        ((UUID.replace("-", ""), None, None, []), (f"uuid:{UUID}",)),
        ((None, " ACME  Inc ", "S 1", ["00:25:90:00:00:01"]), ("serial:acme inc/s 1",)),
        ((None, None, "S1", ["00-25-90-00-00-01"]), ("mac:00:25:90:00:00:01",)),
        ((None, "ACME", "0000000", []), ()),
        ((None, "ACME", "123456789", []), ()),
        ((None, "System manufacturer", "S1", []), ()),
        (("f" * 32, None, None, ["52:54:00:12:34:56"]), ("mac:52:54:00:12:34:56",)),
        (("03000200-0400-0500-0006-000700080009", "ACME", "S1", []), ("serial:acme/s1",)),
        ((None, None, None, ["02:42:ac:11:00:02", "01:00:5e:00:00:01", "00:00:00:00:00:00"]), ()),
        ((None, None, None, ["00:25:90:00:00:02", "00:25:90:00:00:01"]),
         ("mac:00:25:90:00:00:01", "mac:00:25:90:00:00:02")),
    ],
)  # fmt: skip
def test_the_strongest_name_counts(said: tuple[str, str, str, list[str]], marks: tuple[str, ...]) -> None:
    assert read_identity(*said).marks == marks


def test_a_token_may_be_bound_to_a_card_that_names_nobody() -> None:
    identity = read_identity(None, None, None, ["02:42:ac:11:00:02"])
    assert identity == Identity(None, None, None, ("02:42:ac:11:00:02",))
    assert identity.marks == ()


@pytest.mark.parametrize("text", ["", "00:25:90:00:00", "00:25:90:00:00:0g", "0025.9000.0001"])
def test_no_mac(text: str) -> None:
    with pytest.raises(ValueError, match="not a MAC"):
        read_mac(text)
