"""Whatever the moment and whatever fails: the old set is there whole, or the new one."""

from __future__ import annotations

import errno
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from node.errors import NodeError
from node.persist.kept_blobs import BLOBS
from node.persist.kept_index import INDEX_FILE, BrokenIndexError, index_from_text
from node.persist.kept_places import KeptPlaces
from node.persist.kept_set import add, drop, save
from tests.unit.persist.kept_node import KeptNode
from tests.unit.persist.power_cut import Disk, RecordedCalls, Tree, cuts, put_back, tree_of

Kept = Mapping[str, str]


@pytest.fixture
def node(tmp_path: Path) -> KeptNode:
    return KeptNode(tmp_path)


def first(node: KeptNode, places: KeptPlaces) -> None:
    node.write("/etc/app/a", "one")
    add(places, ["/etc/app"])


def changed(node: KeptNode, places: KeptPlaces) -> None:
    node.write("/etc/app/a", "two" * 700)
    save(places)


def removed(node: KeptNode, places: KeptPlaces) -> None:
    node.at("/etc/app/a").unlink()
    save(places)


def one_more(node: KeptNode, places: KeptPlaces) -> None:
    node.write("/etc/other", "other")
    add(places, ["/etc/other"])


def dropped(node: KeptNode, places: KeptPlaces) -> None:
    drop(places, ["/etc/app"])


def after_a_cut(node: KeptNode, places: KeptPlaces) -> None:
    (places.kept / ".index.json.0123abcd.new").write_text("{")
    (places.kept / BLOBS / ".0123abcd.new").write_text("half")
    changed(node, places)


CHANGES = [first, changed, removed, one_more, dropped, after_a_cut]
change = pytest.mark.parametrize("make", CHANGES)


def prepared(node: KeptNode, make: Callable[[KeptNode, KeptPlaces], None]) -> None:
    if make is not first:
        node.write("/etc/app/b", "stays")
        node.add("/etc/app") if node.at("/etc/app").exists() else None
        node.write("/etc/app/a", "one")
        node.add("/etc/app")


def kept_in(tree: Tree, config: Path) -> Kept:
    """Everything that would be put back, by path; AssertionError where a part of it isn't there whole."""
    index = tree.get(config / "kept" / INDEX_FILE)
    if index is None:
        return {}
    found = {}
    for entry in index_from_text(index.decode()).entries:
        blob = tree.get(config / "kept" / BLOBS / entry.sha256) if entry.sha256 else b""
        assert blob is not None, f"{entry.path} has no contents"
        found[entry.path] = f"{entry.kind} {blob.decode()}"
    return found


@change
def test_a_power_cut_leaves_the_old_set_or_the_new_one(
    node: KeptNode, make: Callable[[KeptNode, KeptPlaces], None]
) -> None:
    prepared(node, make)
    config = node.places.config
    before = tree_of(config)
    calls = RecordedCalls()
    make(node, node.with_calls(calls))
    after = kept_in(tree_of(config), config)
    sets = {"old": kept_in(before, config), "new": after}
    assert sets["old"] != sets["new"]
    seen = dict.fromkeys(sets, 0)
    for number, tree in cuts(before, calls.made):
        try:
            found = kept_in(tree, config)
        except BrokenIndexError:
            pytest.fail(f"after {number} calls the index is broken")
        names = [name for name, kept in sets.items() if kept == found]
        assert names, f"after {number} calls: {found}"
        seen[names[0]] += 1
    assert all(seen.values())


@change
@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EROFS, errno.EIO])
def test_a_call_that_fails_leaves_the_old_set_or_all_of_the_new_one(
    node: KeptNode, make: Callable[[KeptNode, KeptPlaces], None], error: int, tmp_path: Path
) -> None:
    prepared(node, make)
    config = node.places.config
    before, root, record = tree_of(config), node.places.root, node.places.record
    calls = RecordedCalls()
    saved_root = tree_of(root)
    noted = record.read_bytes() if record.exists() else None
    make(node, node.with_calls(calls))
    new = kept_in(tree_of(config), config)
    for place in range(calls.asked):
        put_back(config, before)
        put_back(root, saved_root)
        record.unlink(missing_ok=True) if noted is None else record.write_bytes(noted)
        failing = RecordedCalls(lambda asked, _name, place=place: asked == place, error)
        words = ""
        try:
            make(node, node.with_calls(failing))
        except NodeError as caught:
            words = caught.brief
        # Without words only tidying up has failed.
        assert (kept_in(tree_of(config), config), "CONFIG" in words) in (
            (kept_in(before, config), True),
            (new, False),
        ), f"call {place}"


def test_what_a_cut_left_behind_is_swept(node: KeptNode) -> None:
    prepared(node, after_a_cut)
    after_a_cut(node, node.places)
    names = [path.name for path in node.places.kept.rglob("*")]
    assert not [name for name in names if name.startswith(".")]


def test_the_model_of_the_disk_agrees_with_the_disk(node: KeptNode) -> None:
    prepared(node, changed)
    before = tree_of(node.places.config)
    calls = RecordedCalls()
    changed(node, replace(node.places, calls=calls))
    disk = Disk(before)
    for call in calls.made:
        disk.make(call)
    assert disk.now() == tree_of(node.places.config)
