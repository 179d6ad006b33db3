"""The state store: whole, versioned, and never a reason for silence."""

from __future__ import annotations

import contextlib
import errno
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.errors import InputError
from node.model.state import State
from node.persist.store import (
    STATE_FILE,
    BrokenStateError,
    FutureStateError,
    StateNotWrittenError,
    StoredState,
    history,
    read_state,
    read_version,
    state_from_text,
    state_to_text,
    take_back,
    try_room,
    write_state,
)
from node.system.files import LiveFiles

AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
STATE = State(install={"id": "1"}, sections={"network": {"hostname": "node1", "dns": ["192.0.2.1"]}})
OTHER = State(sections={"network": {"hostname": "node2"}})

EDITED = "found as it was: changed by hand"

texts = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=20)
values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)


def numbered(number: int) -> State:
    return State(sections={"network": {"hostname": f"node{number}"}})


def write(folder: Path, *states: State) -> None:
    for state in states:
        write_state(folder, state, reason="test", at=AT)


def read(folder: Path, **options: Any) -> StoredState:
    stored = read_state(folder, **options)
    assert stored is not None
    return stored


@given(
    st.dictionaries(texts, st.dictionaries(texts, values, max_size=3), max_size=3),
    st.dictionaries(texts, values, max_size=3),
)
def test_what_is_written_is_read_back(sections: dict[str, Any], install: dict[str, Any]) -> None:
    state = State(install=install, sections=sections)
    assert state_from_text(state_to_text(state)) == state


@given(st.binary(max_size=200) | st.text(max_size=200).map(lambda text: f"version: 1\n{text}".encode()))
def test_no_bytes_at_all_make_reading_fail_otherwise_than_said(
    tmp_path_factory: pytest.TempPathFactory, contents: bytes
) -> None:
    folder = tmp_path_factory.mktemp("config")
    (folder / STATE_FILE).write_bytes(contents)
    with contextlib.suppress(BrokenStateError):
        assert isinstance(read(folder).state, State)


def test_the_last_ten_versions_are_kept_with_when_and_why(tmp_path: Path) -> None:
    assert read_state(tmp_path) is None
    assert history(tmp_path) == ()
    for number in range(1, 13):
        write_state(
            tmp_path, numbered(number), reason=f"change\n {number} \a", at=AT + timedelta(minutes=number)
        )
    assert read(tmp_path) == StoredState(numbered(12))
    versions = history(tmp_path)
    assert [version.number for version in versions] == list(range(12, 2, -1))
    assert [version.number for version in versions if version.current] == [12]
    assert (versions[0].at, versions[0].reason) == (AT + timedelta(minutes=12), "change 12 ?")
    assert read_version(tmp_path, 3) == numbered(3)
    with pytest.raises(InputError, match="no version 2") as caught:
        read_version(tmp_path, 2)
    assert "3, 4, 5" in caught.value.mend
    for path in (tmp_path / STATE_FILE, *(tmp_path / "history").iterdir()):
        assert path.stat().st_mode & 0o777 == 0o600
    assert (tmp_path / STATE_FILE).read_bytes() == (tmp_path / "history/000012.yaml").read_bytes()


def test_going_back_is_a_new_version_and_the_newest_of_two_alike_is_in_force(tmp_path: Path) -> None:
    write(tmp_path, STATE, OTHER, read_version_of(STATE))
    assert [version.current for version in history(tmp_path)] == [True, False, False]


def read_version_of(state: State) -> State:
    return state_from_text(state_to_text(state))


TORN = [
    "",
    "version: 1\nsections: {network: {host",
    "\0\0\0\0",
    "\xff",
    "- 1",
    "version: 1\nsections: []",
    "version: 1\nsections: {network: 7}",
    "version: 1\nsections: {3: {}}",
    "version: yes",
    "version: 0",
    "version: true",
    "[" * 5000,
]


@pytest.mark.parametrize("torn", TORN)
def test_a_torn_state_gives_way_to_the_newest_good_version(tmp_path: Path, torn: str) -> None:
    write(tmp_path, STATE, OTHER)
    (tmp_path / "history/000002.yaml").write_text("torn: [")
    (tmp_path / STATE_FILE).write_bytes(torn.encode("latin-1"))
    stored = read(tmp_path)
    assert (stored.state, stored.source) == (STATE, "history/000001.yaml")
    (warning,) = stored.warnings
    assert "history/000001.yaml is used in its place" in warning
    assert "kept as broken/000001.yaml" in warning
    kept = tmp_path / "broken/000001.yaml"
    assert kept.read_bytes() == torn.encode("latin-1")
    assert kept.stat().st_mode & 0o777 == 0o600
    # The next boot says it again, and keeps no second copy.
    assert read(tmp_path) == stored
    assert [path.name for path in (tmp_path / "broken").iterdir()] == ["000001.yaml"]
    assert [bool(version.broken) for version in history(tmp_path)] == [True, False]


@given(st.data())
def test_a_state_that_is_cut_off_anywhere_is_not_taken_for_a_whole_one(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("config")
    write(folder, OTHER, STATE)
    whole = (folder / STATE_FILE).read_bytes()
    length = data.draw(st.integers(1, len(whole.rstrip()) - 1))
    (folder / STATE_FILE).write_bytes(whole[:length])
    stored = read(folder)
    assert (stored.state, stored.source) == (STATE, "history/000002.yaml")


def test_a_missing_state_beside_its_history_is_a_warning_not_a_fresh_start(tmp_path: Path) -> None:
    write(tmp_path, STATE)
    (tmp_path / STATE_FILE).unlink()
    stored = read(tmp_path)
    assert stored.state == STATE
    assert stored.warnings == ("node.yaml is missing; history/000001.yaml is used in its place",)


def test_a_state_that_a_check_refuses_gives_way_without_its_values(tmp_path: Path) -> None:
    write(tmp_path, STATE, OTHER)

    def check(state: State) -> None:
        if state == OTHER:
            raise ValueError("$y$secret")

    stored = read(tmp_path, check=check)
    assert stored.state == STATE
    assert "not valid" in stored.warnings[0]
    assert "$y$" not in stored.warnings[0]
    assert [bool(version.broken) for version in history(tmp_path, check=check)] == [True, False]


def test_reading_only_leaves_no_trace(tmp_path: Path) -> None:
    write(tmp_path, STATE)
    (tmp_path / STATE_FILE).write_text("torn: [")
    assert read(tmp_path, keep_broken=False).state == STATE
    assert sorted(path.name for path in tmp_path.iterdir()) == ["history", STATE_FILE]


def test_a_config_that_can_not_be_written_is_no_reason_not_to_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, STATE)
    (tmp_path / STATE_FILE).write_text("torn: [")

    def read_only(*_: object) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr(os, "mkdir", read_only)
    (warning,) = read(tmp_path).warnings
    assert "no copy of the broken one could be kept: Read-only file system" in warning


def test_a_torn_state_never_enters_the_history(tmp_path: Path) -> None:
    write(tmp_path, STATE)
    (tmp_path / STATE_FILE).write_text("torn: [")
    write(tmp_path, OTHER)
    assert [version.broken for version in history(tmp_path)] == ["", ""]
    assert (tmp_path / "broken/000001.yaml").read_text() == "torn: ["
    assert read(tmp_path) == StoredState(OTHER)


def test_only_the_last_broken_ones_are_kept(tmp_path: Path) -> None:
    for number in range(8):
        (tmp_path / STATE_FILE).write_text(f"torn: [{number}")
        write(tmp_path, STATE)
    names = sorted(path.name for path in (tmp_path / "broken").iterdir())
    assert names == [f"00000{number}.yaml" for number in range(4, 9)]


def test_no_good_version_is_an_error_without_their_contents(tmp_path: Path) -> None:
    write(tmp_path, STATE)
    for name in (STATE_FILE, "history/000001.yaml"):
        (tmp_path / name).write_text('version: 1\nsecret: "$y$hash\n')
    with pytest.raises(BrokenStateError) as caught:
        read_state(tmp_path)
    assert "line 3" in caught.value.details
    assert "$y$" not in f"{caught.value.brief} {caught.value.details}"


def test_a_state_from_the_future_is_refused_and_stays(tmp_path: Path) -> None:
    write(tmp_path, STATE)
    future = "version: 99\nsections: {quantum: {}}\n"
    (tmp_path / STATE_FILE).write_text(future)
    with pytest.raises(FutureStateError, match="version 99; this image knows 1") as caught:
        read_state(tmp_path)
    assert caught.value.fallback == StoredState(STATE, source="history/000001.yaml")
    with pytest.raises(FutureStateError):
        write(tmp_path, OTHER)
    assert (tmp_path / STATE_FILE).read_text() == future
    assert sorted(path.name for path in tmp_path.iterdir()) == ["history", STATE_FILE]
    write_state(tmp_path, OTHER, reason="installation", at=AT, replace_future=True)
    assert read(tmp_path) == StoredState(OTHER)
    assert (tmp_path / "broken/000001.yaml").read_text() == future


def test_what_was_edited_by_hand_enters_the_history_before_it_is_replaced(tmp_path: Path) -> None:
    write(tmp_path, STATE)
    (tmp_path / STATE_FILE).write_text("version: 1\nsections: {locale: {keyboard: no}}\n")
    edited = history(tmp_path)[0]
    assert (edited.number, edited.at, edited.reason, edited.current) == (2, None, EDITED, True)
    assert read_version(tmp_path, 2) == read(tmp_path).state
    write(tmp_path, OTHER)
    assert [version.reason.partition(":")[0] for version in history(tmp_path)] == [
        "test",
        "found as it was",
        "test",
    ]
    # As in the answers, and not YAML 1.1's false.
    assert read_version(tmp_path, 2).sections == {"locale": {"keyboard": "no"}}


def test_a_write_that_was_cut_short_once_it_counted_keeps_its_reason(tmp_path: Path) -> None:
    write(tmp_path, STATE)
    write_state(tmp_path, OTHER, reason="cut short", at=AT)
    (tmp_path / "history/000002.yaml").rename(tmp_path / "history/next.yaml")
    assert [(version.reason, version.current) for version in history(tmp_path)] == [
        ("cut short", True),
        ("test", False),
    ]
    assert read_version(tmp_path, 2) == OTHER
    write(tmp_path, STATE)
    assert [version.reason for version in history(tmp_path)] == ["test", "cut short", "test"]
    assert not (tmp_path / "history/next.yaml").exists()


def test_a_write_removes_what_those_cut_short_left(tmp_path: Path) -> None:
    write(tmp_path, STATE)
    for name in (".node.yaml.0123abcd.new", ".node.yaml.0123abcd.old", "history/.000002.yaml.00000000.new"):
        (tmp_path / name).write_text("x")
    (tmp_path / ".profile").write_text("not ours")
    write(tmp_path, OTHER)
    assert sorted(path.name for path in tmp_path.iterdir()) == [".profile", "history", STATE_FILE]
    assert len(list((tmp_path / "history").iterdir())) == 2


def test_trying_for_room_leaves_no_trace_and_says_what_a_write_would(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, STATE)
    before = sorted(tmp_path.rglob("*"))
    try_room(tmp_path, OTHER)
    assert sorted(tmp_path.rglob("*")) == before

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StateNotWrittenError, match="CONFIG is full: the configuration stays as it was"):
        try_room(tmp_path, OTHER)


def test_a_write_is_taken_back_only_by_who_made_it(tmp_path: Path) -> None:
    write(tmp_path, STATE, OTHER)
    take_back(tmp_path, reason="another")
    assert read(tmp_path).state == OTHER
    take_back(tmp_path, reason="test")
    assert read(tmp_path) == StoredState(STATE)
    assert len(history(tmp_path)) == 1
    take_back(tmp_path, reason="test")
    assert read(tmp_path) == StoredState(STATE)


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.ENOSPC, "CONFIG is full"),
        (errno.EROFS, "CONFIG is read-only"),
        (errno.EIO, "CONFIG can't be written"),
    ],
)
def test_a_write_that_fails_says_why_and_that_nothing_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, words: str
) -> None:
    write(tmp_path, STATE)

    def broken(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", broken)
    with pytest.raises(StateNotWrittenError, match=words) as caught:
        write(tmp_path, OTHER)
    assert "stays as it was" in caught.value.brief
    monkeypatch.undo()
    assert read(tmp_path) == StoredState(STATE)
    assert len(history(tmp_path)) == 1


class BadBlocks(LiveFiles):
    """A disk that can't read these names any more."""

    def __init__(self, *names: str) -> None:
        super().__init__()
        self._names = names

    def read(self, path: Path) -> bytes:
        self._fail(path)
        return super().read(path)

    def names(self, folder: Path) -> list[str]:
        self._fail(folder)
        return super().names(folder)

    def _fail(self, path: Path) -> None:
        if path.name in self._names:
            raise OSError(errno.EIO, os.strerror(errno.EIO))


def test_bad_blocks_cost_only_what_is_on_them(tmp_path: Path) -> None:
    write(tmp_path, STATE, OTHER)
    (warning,) = read(tmp_path, files=BadBlocks(STATE_FILE)).warnings
    assert warning == "the state can't be read (Input/output error); history/000002.yaml is used in its place"
    assert read(tmp_path, files=BadBlocks(STATE_FILE, "000002.yaml")).state == STATE
    with pytest.raises(BrokenStateError, match="can't be read"):
        read_state(tmp_path, files=BadBlocks(STATE_FILE, "history"))
    with pytest.raises(BrokenStateError, match="history can't be read"):
        history(tmp_path, files=BadBlocks("history"))
    write_state(tmp_path, STATE, reason="test", at=AT, files=BadBlocks(STATE_FILE))
    assert read(tmp_path) == StoredState(STATE)
    (tmp_path / STATE_FILE).unlink()
    with pytest.raises(BrokenStateError, match="missing"):
        read_state(tmp_path, files=BadBlocks("history"))
