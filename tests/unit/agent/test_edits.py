"""KEY=VALUE, KEY+=VALUE and KEY-=VALUE."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.agent.edits import Edit, Operator, edited, parse_path, split_edit, value_at
from node.errors import InputError

VLANS = {"vlans": {"e.10": {"id": 10}}}
SECTIONS: dict[str, Any] = {"network": {"hostname": "n", "dns": ["1", "2"], "netplan": VLANS}}
DEFAULTS = {"network": {"ntp": ["pool"], "hostname": ""}}


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("a.b=c=d", ("a.b", Operator.SET, "c=d")),
        ("a+=b", ("a", Operator.ADD, "b")),
        ("a-=b", ("a", Operator.TAKE, "b")),
        ("a=", ("a", Operator.SET, "")),
        ('a."x=y".b=1', ('a."x=y".b', Operator.SET, "1")),
        ("a.dhcp-identifier=mac", ("a.dhcp-identifier", Operator.SET, "mac")),
    ],
)
def test_what_a_word_says(text: str, parts: tuple[str, Operator, str]) -> None:
    assert split_edit(text) == parts


@pytest.mark.parametrize("text", ["hostname", "", '"a=b"'])
def test_a_word_without_a_value_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="KEY=VALUE"):
        split_edit(text)


@pytest.mark.parametrize("text", ["", ".", "a.", ".a", "a..b", 'a."b', 'a"b"'])
def test_what_is_no_key_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="not a key"):
        parse_path(text)


names = st.text(st.characters(exclude_characters='"'), min_size=1, max_size=8)


@given(st.lists(names, min_size=1, max_size=4))
def test_any_names_make_a_key_in_quotes(parts: list[str]) -> None:
    assert parse_path(".".join(f'"{part}"' for part in parts)) == tuple(parts)


@pytest.mark.parametrize(
    ("key", "operator", "value", "expected"),
    [
        ("network.hostname", "=", "x", "x"),
        ("network.netplan.bonds.bond0.mtu", "=", 9000, 9000),
        ("network.dns.1", "=", "9", "9"),
        ("network.dns", "+=", "3", ["1", "2", "3"]),
        ("network.dns", "+=", ["2", "4"], ["1", "2", "4"]),
        ("network.dns", "-=", "1", ["2"]),
        ("network.ntp", "+=", "x", ["pool", "x"]),
        ("network.new", "+=", "x", ["x"]),
        ('network.netplan.vlans."e.10".id', "=", 11, 11),
    ],
)
def test_an_edit(key: str, operator: str, value: Any, expected: Any) -> None:
    path = parse_path(key)
    found = edited(SECTIONS, [Edit(path, Operator(operator), value)], DEFAULTS)
    assert value_at(found, path) == expected
    assert SECTIONS["network"]["dns"] == ["1", "2"]


def test_no_value_takes_the_key_away() -> None:
    keys = ("network.hostname", "network.no.such", "network.dns.0")
    edits = [Edit(parse_path(key), Operator.SET, None) for key in keys]
    found = edited(SECTIONS, edits, DEFAULTS)
    assert found["network"] == {"dns": ["2"], "netplan": VLANS}


@pytest.mark.parametrize(
    ("key", "operator", "what"),
    [
        ("network.hostname.x", "=", "has no 'x' below it"),
        ("network.hostname.x.y", "=", "has no 'x' below it"),
        ("network.dns.7", "=", "is a list of 2 items, counted from 0, and has no '7'"),
        ("network.hostname", "+=", "is not a list"),
        ("network.dns", "-=", "does not hold what is to be taken out"),
    ],
)
def test_an_impossible_edit_is_a_problem(key: str, operator: str, what: str) -> None:
    with pytest.raises(InputError) as caught:
        edited(SECTIONS, [Edit(parse_path(key), Operator(operator), "v")] * 2, DEFAULTS)
    assert [problem.what for problem in caught.value.problems] == [what] * 2
