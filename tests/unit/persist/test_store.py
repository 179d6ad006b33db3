"""The state store: whole, versioned, and never a reason for silence."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.model.state import State
from node.persist.store import (
    PREVIOUS_FILE,
    STATE_FILE,
    BrokenStateError,
    read_state,
    state_from_text,
    state_to_text,
    write_state,
)

STATE = State(install={"id": "1"}, sections={"network": {"hostname": "node1", "dns": ["192.0.2.1"]}})
OTHER = State(sections={"network": {"hostname": "node2"}})

texts = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=20)
values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)


@given(
    st.dictionaries(texts, st.dictionaries(texts, values, max_size=3), max_size=3),
    st.dictionaries(texts, values, max_size=3),
)
def test_what_is_written_is_read_back(sections: dict[str, Any], install: dict[str, Any]) -> None:
    state = State(install=install, sections=sections)
    assert state_from_text(state_to_text(state)) == state


def test_a_folder_keeps_the_state_and_the_one_before(tmp_path: Path) -> None:
    assert read_state(tmp_path) is None
    write_state(tmp_path, STATE)
    write_state(tmp_path, OTHER)
    stored = read_state(tmp_path)
    assert stored is not None
    assert (stored.state, stored.warning) == (OTHER, "")
    assert state_from_text((tmp_path / PREVIOUS_FILE).read_text()) == STATE
    for name in (STATE_FILE, PREVIOUS_FILE):
        assert (tmp_path / name).stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    "torn",
    [
        "",
        "version: 1\nsections: {network: {host",
        "\0\0\0\0",
        "- 1",
        "version: 1\nsections: []",
        "version: 99",
    ],
)
def test_a_torn_state_gives_way_to_the_one_before_it(tmp_path: Path, torn: str) -> None:
    write_state(tmp_path, STATE)
    write_state(tmp_path, OTHER)
    (tmp_path / STATE_FILE).write_text(torn)
    stored = read_state(tmp_path)
    assert stored is not None
    assert stored.state == STATE
    assert "the one before it is used" in stored.warning


def test_a_torn_state_never_replaces_a_whole_one(tmp_path: Path) -> None:
    write_state(tmp_path, STATE)
    write_state(tmp_path, OTHER)
    (tmp_path / STATE_FILE).write_text("torn: [")
    write_state(tmp_path, OTHER)
    assert state_from_text((tmp_path / PREVIOUS_FILE).read_text()) == STATE


def test_two_broken_ones_are_an_error_without_their_contents(tmp_path: Path) -> None:
    for name in (STATE_FILE, PREVIOUS_FILE):
        (tmp_path / name).write_text('version: 1\nsecret: "$y$hash\n')
    with pytest.raises(BrokenStateError) as caught:
        read_state(tmp_path)
    assert "line 3" in caught.value.details
    assert "$y$" not in f"{caught.value.brief} {caught.value.details}"
