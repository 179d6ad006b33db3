"""A change of a kept file is saved by itself, whoever makes it and however."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from node.boot import kept_files, kept_watch
from node.boot.kept_files import save_last, terminals, warning_lines
from node.boot.kept_watch import KeptWatch, KnownContents
from node.persist.kept_changes import Change, What
from node.persist.kept_index import read_index
from node.persist.kept_places import KeptPlaces
from node.persist.kept_set import drop
from node.system.entries import facts_of
from node.system.inotify import Watches
from tests.unit.persist.kept_node import KeptNode


@pytest.fixture
def node(tmp_path: Path) -> KeptNode:
    return KeptNode(tmp_path)


@pytest.fixture
def words() -> list[str]:
    return []


@pytest.fixture
def start(
    node: KeptNode, words: list[str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[], threading.Thread]]:
    monkeypatch.setattr(kept_watch, "QUIET_S", 0.05)
    monkeypatch.setattr(kept_watch, "LONGEST_PAUSE_S", 0.1)
    watches = Watches()
    threads = []

    def run() -> threading.Thread:
        watch = KeptWatch(
            node.places, watches, tell=words.append, alarm=lambda line: words.append(f"! {line}")
        )
        thread = threading.Thread(target=watch.run, daemon=True)
        thread.start()
        threads.append(thread)
        return thread

    yield run
    if paths := [kept.path for kept in read_index(node.places.kept).index.paths]:
        drop(node.places, paths)
    for thread in threads:
        thread.join(10)
        assert not thread.is_alive()
    watches.close()


def eventually(found: Callable[[], object], wanted: object) -> None:
    deadline = time.monotonic() + 60
    while found() != wanted and time.monotonic() < deadline:
        time.sleep(0.02)
    assert found() == wanted


def stored(node: KeptNode, path: str) -> Callable[[], object]:
    def read() -> object:
        entries = {entry.path: entry for entry in read_index(node.places.kept).index.entries}
        entry = entries.get(path)
        if entry is None or not entry.sha256:
            return entry and entry.kind.value
        try:
            return (node.places.kept / "blobs" / entry.sha256).read_text()
        except FileNotFoundError:
            return None

    return read


def test_every_way_of_changing_is_seen(node: KeptNode, start: Callable[[], threading.Thread]) -> None:
    node.image("/etc/single", "image")
    node.boot()
    node.write("/etc/app/a", "1")
    node.add("/etc/app", "/etc/single")
    start()
    node.write("/etc/app/a", "2")
    eventually(stored(node, "/etc/app/a"), "2")
    node.replace("/etc/single", "renamed")
    eventually(stored(node, "/etc/single"), "renamed")
    # In folders that come and go while it watches.
    node.write("/etc/app/new/deep/b", "3")
    eventually(stored(node, "/etc/app/new/deep/b"), "3")
    node.write("/etc/app/new/deep/b", "4")
    eventually(stored(node, "/etc/app/new/deep/b"), "4")
    node.at("/etc/single").unlink()
    eventually(stored(node, "/etc/single"), "absent")
    node.write("/etc/single", "again")
    eventually(stored(node, "/etc/single"), "again")
    node.at("/etc/app/a").chmod(0o600)
    eventually(
        lambda: {e.path: e.mode for e in read_index(node.places.kept).index.entries}["/etc/app/a"], 0o600
    )


def test_what_is_added_later_is_watched_too(node: KeptNode, start: Callable[[], threading.Thread]) -> None:
    node.write("/etc/first", "1")
    node.add("/etc/first")
    start()
    node.write("/opt/later", "1")
    node.add("/opt/later")
    node.write("/opt/later", "2")
    eventually(stored(node, "/opt/later"), "2")


def test_it_ends_where_nothing_is_kept(node: KeptNode, start: Callable[[], threading.Thread]) -> None:
    start().join(10)
    node.write("/etc/first", "1")
    node.add("/etc/first")
    thread = start()
    drop(node.places, ["/etc/first"])
    thread.join(10)
    assert not thread.is_alive()


def test_a_failure_is_an_alarm_once_and_not_the_end(
    node: KeptNode, start: Callable[[], threading.Thread], words: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    node.write("/etc/first", "1")
    node.add("/etc/first")
    room = [5 << 20]
    monkeypatch.setattr(KeptPlaces, "room", lambda self: (64 << 20, room[0]))
    start()

    def complaints() -> int:
        return len([line for line in words if line.startswith("! /etc/first is kept, but")])

    for number in range(2):
        node.write("/etc/first", f"{number}" * (2 << 20))
        eventually(complaints, 1)
        time.sleep(0.3)
    assert complaints() == 1
    room[0] = 60 << 20
    node.write("/etc/first", "small")
    eventually(stored(node, "/etc/first"), "small")


def test_known_contents_are_read_once_and_fresh_ones_always(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("1")
    number = os.open(path, os.O_RDONLY)
    facts = facts_of(number)
    old = KnownContents(lambda: facts.ctime_ns + 5 * 10**9)
    fresh = KnownContents(lambda: facts.ctime_ns + 10**8)
    first = old(number, facts)
    assert fresh(number, facts) == first
    with path.open("r+") as file:
        file.write("2")
    assert old(number, facts) == first
    assert fresh(number, facts) != first
    os.close(number)


def test_the_last_saving_says_what_failed(
    node: KeptNode, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    said: list[str] = []
    monkeypatch.setattr(kept_files, "write_line", lambda line, _names: said.append(line))
    node.write("/etc/first", "1")
    node.add("/etc/first")
    node.write("/etc/first", "2")
    assert save_last(node.places) == 0
    assert said == []
    assert stored(node, "/etc/first")() == "2"
    (node.places.kept / "index.json").write_text("{")
    (node.places.kept / "index.previous.json").write_text("{")
    assert save_last(node.places) == 1
    assert "could not be saved: the list of kept files is damaged" in said[0]


def test_the_warning_is_short_and_plain(tmp_path: Path) -> None:
    assert warning_lines(()) == []
    lost = tuple(Change(f"/etc/\x1b{number}", What.NEW) for number in range(14))
    lines = warning_lines(lost)
    assert len(lines) == 12
    assert lines[1] == "  new            /etc/?0"
    assert lines[-1] == "  and 4 more"
    (tmp_path / "pts").mkdir()
    for name in ("0", "12", "ptmx"):
        (tmp_path / "pts" / name).touch()
    assert [name for name in terminals(tmp_path) if name.startswith("pts")] == ["pts/0", "pts/12"]
