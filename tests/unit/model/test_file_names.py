"""Which names of an archive may be unpacked."""

from __future__ import annotations

from pathlib import PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.model.file_names import wrong_with_name, wrong_with_names

PARTS = st.one_of(
    st.sampled_from(["..", ".", "", "a", "b.py", "/", "\\", "\0", "\n", "~", "C:", "a" * 300, "\udc80"]),
    st.text(max_size=12),
)


@pytest.mark.parametrize(
    "name",
    ["", "/etc/passwd", "../x", "a/../../x", "a/..", "./a", "a//b", "a/", "a\\b", "a\0b", "a\nb", "\udcff",
     "x" * 256, "/".join(["abcdefg"] * 200), "a\u202eb", "\x1b[31m"],
)  # fmt: skip
def test_names_that_lead_elsewhere(name: str) -> None:
    assert wrong_with_name(name)


@pytest.mark.parametrize(
    "name", ["a", "a/b.py", "vendor/data/ö.txt", "a b", "..a", "a..b/c", "x-1.dist-info/RECORD"]
)
def test_plain_names(name: str) -> None:
    assert not wrong_with_name(name)


@given(st.lists(PARTS, min_size=1, max_size=5), st.sampled_from(["/", "//", "\\"]))
def test_what_is_left_lies_below_any_folder(parts: list[str], separator: str) -> None:
    name = separator.join(parts)
    if not wrong_with_name(name):
        path = PurePosixPath("/folder") / name
        assert path.is_relative_to("/folder")
        assert ".." not in path.parts
        # One name, one file: no other spelling of it is let through.
        assert str(path) == f"/folder/{name}"


def test_a_file_and_a_folder_of_one_name() -> None:
    assert "lies below it" in wrong_with_names(["a", "a/b"])
    assert not wrong_with_names(["a/b", "a/c", "ab"])
