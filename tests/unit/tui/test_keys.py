from __future__ import annotations

import pytest

from node.tui.keys import KeyReader


@pytest.mark.parametrize(
    ("data", "keys"),
    [
        (b"a", ["a"]),
        ("č".encode(), ["č"]),
        (b"\r", ["enter"]),
        (b"\t\x1b[Z", ["tab", "shift tab"]),
        (b"\x1b[A\x1bOA\x1b[21~", ["up", "up", "f10"]),
        (b"\x1bOP\x1b[[A\x1b[11~", ["f1", "f1", "f1"]),
        (b"\x1b0\x1b1\x1b8", ["f10", "f1", "f8"]),
        (b"\x7f\x15", ["backspace", "ctrl u"]),
        (b"\x1b[?1;2c", []),
        (b"\x1b[200~a", ["a"]),
        (b"\x1bx", ["esc", "x"]),
        (b"\xff\xfea", ["a"]),
    ],
)
def test_keys(data: bytes, keys: list[str]):
    assert KeyReader().feed(data) == keys
    reader = KeyReader()
    assert [key for byte in data for key in reader.feed(bytes([byte]))] == keys


def test_a_lone_escape_is_one_once_its_time_is_over():
    reader = KeyReader()
    assert reader.feed(b"\x1b") == []
    assert reader.waits
    assert reader.give_up() == ["esc"]
    assert not reader.waits


def test_what_was_begun_and_never_ended_is_an_escape_and_the_rest():
    reader = KeyReader()
    assert reader.feed(b"\x1b[") == []
    assert reader.give_up() == ["esc", "["]


def test_no_byte_is_kept_for_ever():
    reader = KeyReader()
    reader.feed(b"\x1b[" + b"1;" * 40)
    assert reader.feed(b"a")[-1:] == ["a"]
