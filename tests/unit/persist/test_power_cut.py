"""Whatever the moment and whatever fails: reading gives the old state or the new one, never anything else."""

from __future__ import annotations

import errno
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from node.model.state import State
from node.model.system import Files
from node.persist.store import (
    STATE_FILE,
    BrokenStateError,
    StateNotWrittenError,
    StoredState,
    history,
    read_state,
    read_version,
    take_back,
    write_state,
)
from node.system.files import LiveFiles
from node.testing.fake_system import FakeSystem
from tests.unit.persist.power_cut import Disk, RecordedCalls, Tree, cuts, put_back, tree_of

AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
# Longer than a block of ext4, so that it can be torn between two.
NEW = State(sections={"network": {"hostname": "new"}, "vendor": {"notes": [f"line {n}" for n in range(250)]}})


def numbered(number: int) -> State:
    return State(sections={"network": {"hostname": f"node{number}"}, "locale": {"lang": "C"}})


def write(folder: Path, state: State, calls: RecordedCalls | None = None) -> None:
    files = LiveFiles(calls) if calls else LiveFiles()
    write_state(folder, state, reason="test", at=AT, files=files)


def empty(folder: Path) -> None:
    """No state yet."""


def one(folder: Path) -> None:
    write(folder, numbered(1))


def full_history(folder: Path) -> None:
    for number in range(1, 12):
        write(folder, numbered(number))


def torn(folder: Path) -> None:
    full_history(folder)
    (folder / STATE_FILE).write_text("version: 1\nsections: {netw")


def edited(folder: Path) -> None:
    one(folder)
    (folder / STATE_FILE).write_text("version: 1\nsections: {network: {hostname: edited}}\n")


def left_by_a_cut(folder: Path) -> None:
    one(folder)
    (folder / ".node.yaml.0123abcd.new").write_text("version: 1\nsections: {}\n")
    (folder / "history/.000002.yaml.0123abcd.old").write_text("half")


SITUATIONS = [empty, one, full_history, torn, edited, left_by_a_cut]
situation = pytest.mark.parametrize("prepare", SITUATIONS)


def memory_files(tree: Tree) -> Files:
    system = FakeSystem()
    system.file_contents = {path: contents for path, contents in tree.items() if contents is not None}
    return system.files


def read_tree(folder: Path, tree: Tree) -> StoredState | None:
    return read_state(folder, files=memory_files(tree))


def versions_in(folder: Path, tree: Tree) -> list[State]:
    files = memory_files(tree)
    return [read_version(folder, version.number, files=files) for version in history(folder, files=files)]


def state_of(stored: StoredState | None) -> State | None:
    return stored.state if stored else None


@situation
def test_a_cut_after_any_call_leaves_the_old_state_or_the_new(
    tmp_path: Path, prepare: Callable[[Path], None]
) -> None:
    prepare(tmp_path)
    before, old = tree_of(tmp_path), state_of(read_state(tmp_path, keep_broken=False))
    calls = RecordedCalls()
    write(tmp_path, NEW, calls)
    found = Counter[str]()
    for _, tree in cuts(before, calls.made):
        stored = read_tree(tmp_path, tree)
        state = state_of(stored)
        assert state in (old, NEW)
        # A state that was whole never needs another in its place.
        assert prepare is torn or stored is None or not stored.warnings
        found["new" if state == NEW else "old"] += 1
        # A version that never was in force is none.
        assert state == NEW or NEW not in versions_in(tmp_path, tree)
    assert found["old"]
    assert found["new"]


@situation
def test_a_write_that_returned_lasts(tmp_path: Path, prepare: Callable[[Path], None]) -> None:
    prepare(tmp_path)
    before = tree_of(tmp_path)
    calls = RecordedCalls()
    write(tmp_path, NEW, calls)
    disk = Disk(before)
    for call in calls.made:
        disk.make(call)
    # That nothing was written but by the calls that were recorded.
    assert dict(disk.now()) == tree_of(tmp_path)
    for tree in disk.after_a_cut():
        assert read_tree(tmp_path, tree) == StoredState(NEW)


@situation
def test_the_next_write_goes_on_from_what_a_cut_left(tmp_path: Path, prepare: Callable[[Path], None]) -> None:
    prepare(tmp_path)
    before = tree_of(tmp_path)
    calls = RecordedCalls()
    write(tmp_path, NEW, calls)
    for _, tree in cuts(before, calls.made):
        put_back(tmp_path, tree)
        write(tmp_path, numbered(99))
        assert read_state(tmp_path) == StoredState(numbered(99))
        assert len(history(tmp_path)) <= 10
        assert not list(tmp_path.rglob(".*"))


def was_refused(act: Callable[[], None]) -> bool:
    try:
        act()
    except StateNotWrittenError as error:
        return "CONFIG is full" in error.brief
    return False


SPACE = {"create", "write", "mkdir", "link", "fsync"}


@situation
@pytest.mark.parametrize("once", [True, False], ids=["once", "from then on"])
def test_a_full_disk_at_any_call_refuses_and_keeps_the_old_state(
    tmp_path: Path, prepare: Callable[[Path], None], once: bool
) -> None:
    prepare(tmp_path)
    before, old = tree_of(tmp_path), read_state(tmp_path, keep_broken=False)
    versions = history(tmp_path)
    refused = place = 0
    while True:
        put_back(tmp_path, before)
        # Once it is full, only what needs no room goes well; but the first to fail may be any call.
        calls = RecordedCalls(
            lambda asked, name, at=place: asked == at or (not once and asked > at and name in SPACE)
        )
        if was_refused(lambda calls=calls: write(tmp_path, NEW, calls)):
            refused += 1
            assert state_of(read_state(tmp_path, keep_broken=False)) == state_of(old)
            new = [version for version in history(tmp_path) if version not in versions]
            assert all(version.reason.startswith("found as it was") for version in new)
            for _, tree in cuts(before, calls.made):
                assert state_of(read_tree(tmp_path, tree)) in (state_of(old), NEW)
        else:
            assert read_state(tmp_path, keep_broken=False) == StoredState(NEW)
        if place >= calls.asked:
            break
        place += 1
    assert refused > 10


@pytest.mark.parametrize("error", [errno.EIO, errno.EROFS, errno.EDQUOT])
def test_other_failures_keep_the_old_state_too(tmp_path: Path, error: int) -> None:
    one(tmp_path)
    calls = RecordedCalls(lambda asked, name: name == "rename", error=error)
    with pytest.raises(StateNotWrittenError):
        write(tmp_path, NEW, calls)
    assert read_state(tmp_path) == StoredState(numbered(1))


def test_a_cut_while_a_write_is_taken_back_leaves_one_of_the_two(tmp_path: Path) -> None:
    one(tmp_path)
    write(tmp_path, NEW)
    before = tree_of(tmp_path)
    calls = RecordedCalls()
    take_back(tmp_path, reason="test", files=LiveFiles(calls))
    for _, tree in cuts(before, calls.made):
        assert read_tree(tmp_path, tree) in (StoredState(numbered(1)), StoredState(NEW))


def test_the_model_of_the_disk_catches_a_store_that_only_writes(tmp_path: Path) -> None:
    """A rename without fsync, as many programs do it, must be found out by these very tests."""

    class Careless(RecordedCalls):
        def fsync(self, number: int, /) -> None:
            """Promise, and do nothing."""

    one(tmp_path)
    before = tree_of(tmp_path)
    calls = Careless()
    write(tmp_path, numbered(2), calls)
    outcomes = Counter(outcome(tmp_path, tree) for _, tree in cuts(before, calls.made))
    assert outcomes["well"]
    assert outcomes["in need of another"]


def outcome(folder: Path, tree: Tree) -> str:
    try:
        stored = read_tree(folder, tree)
    except BrokenStateError:
        return "broken"
    return "in need of another" if stored is None or stored.warnings else "well"
