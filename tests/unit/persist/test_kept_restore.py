"""What can't be put back is named, costs nothing but itself, and stays kept."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from node.model.kept import Index
from node.persist.kept import restore
from node.persist.kept_index import INDEX_FILE, PREVIOUS_FILE, index_to_text, read_index
from node.persist.kept_record import read_record
from node.persist.kept_set import drop, save
from tests.unit.persist.kept_node import KeptNode


@pytest.fixture
def node(tmp_path: Path) -> KeptNode:
    return KeptNode(tmp_path)


def blob_of(node: KeptNode, path: str) -> Path:
    entries = {entry.path: entry for entry in read_index(node.places.kept).index.entries}
    return node.places.kept / "blobs" / entries[path].sha256


def test_nothing_kept_says_nothing_and_writes_nothing(tmp_path: Path) -> None:
    record = tmp_path / "kept.json"
    assert restore(tmp_path / "no-config", tmp_path, record=record) == ()
    assert not record.exists()


@pytest.mark.parametrize("damage", ["gone", "short", "other", "a folder"])
def test_a_damaged_blob_is_named_and_the_rest_comes_back(node: KeptNode, damage: str) -> None:
    node.image("/etc/app/a", "image")
    node.boot()
    node.write("/etc/app/a", "the first one")
    node.write("/etc/app/b", "the second one")
    node.add("/etc/app")
    blob = blob_of(node, "/etc/app/a")
    if damage == "gone":
        blob.unlink()
    elif damage == "a folder":
        blob.unlink()
        blob.mkdir()
    else:
        blob.write_text("the first" if damage == "short" else "the first o_e")
    node.boot()
    assert len(node.warnings) == 1
    assert node.warnings[0].startswith("/etc/app/a was not put back: its saved contents")
    # The image's own rather than half a file.
    assert node.at("/etc/app/a").read_text() == "image"
    assert node.at("/etc/app/b").read_text() == "the second one"
    assert [path.name for path in sorted(node.at("/etc/app").iterdir())] == ["a", "b"]
    # What stands there for want of it isn't taken for a change.
    save(node.places)
    assert "/etc/app/a" in node.entries()
    assert blob_of(node, "/etc/app/a") == blob
    # Whoever writes it anew mends it, with the very same contents too.
    if damage == "a folder":
        blob.rmdir()
    node.replace("/etc/app/a", "the first one")
    save(node.places)
    node.boot()
    assert node.warnings == ()
    assert node.at("/etc/app/a").read_text() == "the first one"


def test_a_missing_file_of_a_damaged_blob_is_not_taken_for_a_removed_one(node: KeptNode) -> None:
    node.write("/etc/own", "1")
    node.add("/etc/own")
    blob_of(node, "/etc/own").write_text("2")
    node.boot()
    save(node.places)
    assert node.entries() == {"/etc/own": "file"}
    drop(node.places, ["/etc/own"])
    assert node.entries() == {}


def test_what_the_state_makes_now_wins(node: KeptNode) -> None:
    node.write("/etc/app.conf", "own")
    node.add("/etc/app.conf")
    node.boot(rendered=["/etc/app.conf"])
    assert node.at("/etc/app.conf").read_text() == "made from the state"
    assert "nodectl config" in node.warnings[0]
    save(node.places)
    node.boot()
    assert node.at("/etc/app.conf").read_text() == "own"


def test_what_the_state_makes_is_left_out_of_a_folder(node: KeptNode) -> None:
    node.boot(rendered=["/etc/app/made"])
    node.write("/etc/app/own", "1")
    node.add("/etc/app")
    assert node.entries() == {"/etc/app": "folder", "/etc/app/own": "file"}


def test_the_way_is_never_a_symlink(node: KeptNode, tmp_path: Path) -> None:
    node.write("/etc/app/a", "own")
    node.add("/etc/app/a")
    outside = tmp_path / "outside"
    outside.mkdir()
    (tmp_path / "image/etc/app").symlink_to(outside)
    node.boot()
    assert list(outside.iterdir()) == []
    assert "/etc/app is a symlink in this image" in node.warnings[0]
    save(node.places)
    assert "/etc/app/a" in node.entries()


def test_a_folder_in_place_of_a_kept_file_is_left_alone(node: KeptNode) -> None:
    node.write("/etc/app", "own")
    node.write("/etc/dir/x", "own")
    node.add("/etc/app", "/etc/dir")
    node.image("/etc/app/x", "image")
    node.image("/etc/dir", "image")
    node.boot()
    assert node.at("/etc/app/x").read_text() == "image"
    assert node.at("/etc/dir").read_text() == "image"
    assert len(node.warnings) == 3
    save(node.places)
    assert node.entries() == {"/etc/app": "file", "/etc/dir": "folder", "/etc/dir/x": "file"}


@pytest.mark.parametrize("torn", ["", "{", "\0\0", "[]", '{"version":1}'])
def test_a_torn_index_gives_way_to_the_one_before_it(node: KeptNode, torn: str) -> None:
    node.write("/etc/a", "1")
    node.add("/etc/a")
    node.write("/etc/b", "1")
    node.add("/etc/b")
    (node.places.kept / INDEX_FILE).write_text(torn)
    node.boot()
    assert "the one before it is used" in node.warnings[0]
    assert node.at("/etc/a").exists()
    assert not node.at("/etc/b").exists()


def test_a_changed_byte_of_the_index_is_noticed(node: KeptNode) -> None:
    node.write("/etc/a", "1")
    node.add("/etc/a")
    index = node.places.kept / INDEX_FILE
    index.write_text(index.read_text().replace("/etc/a", "/etc/c"))
    node.boot()
    assert node.warnings == ("No kept file was put back: the list of kept files is damaged.",)
    assert read_record(node.places.record) is None


def test_an_index_of_a_later_version_is_left_as_it_is(node: KeptNode) -> None:
    node.write("/etc/a", "1")
    node.add("/etc/a")
    node.add("/etc/a")
    index = node.places.kept / INDEX_FILE
    later = index.read_text().replace('"version":1', '"version":2')
    index.write_text(later)
    node.boot()
    assert "this image knows 1" in node.warnings[0]
    with pytest.raises(Exception, match="version 2"):
        save(node.places)
    assert index.read_text() == later
    assert node.blobs() == 1


@pytest.mark.parametrize("path", ["/etc/../../x", "etc/x", "/etc//x", "", "/", "/etc/./x"])
def test_an_index_that_leads_out_of_the_root_is_none(node: KeptNode, path: str) -> None:
    node.write("/etc/a", "1")
    node.add("/etc/a")
    index = read_index(node.places.kept).index
    entry = index.entries[0]
    bad = Index(index.paths, (type(entry)(**{**vars(entry), "path": path}),))
    (node.places.kept / INDEX_FILE).write_text(index_to_text(bad))
    shutil.rmtree(node.places.kept / PREVIOUS_FILE, ignore_errors=True)
    node.boot()
    assert "damaged" in node.warnings[0]


def test_many_failures_are_counted(node: KeptNode) -> None:
    for number in range(30):
        node.write(f"/etc/app/{number}", str(number))
    node.add("/etc/app")
    shutil.rmtree(node.places.kept / "blobs")
    node.boot()
    assert len(node.warnings) == 11
    assert node.warnings[-1].startswith("and 20 more")


def test_putting_back_twice_is_the_same_as_once(node: KeptNode) -> None:
    node.image("/etc/app/gone", "image")
    node.boot()
    node.write("/etc/app/a", "1")
    node.at("/etc/app/gone").unlink()
    node.at("/etc/app/l").symlink_to("a")
    node.add("/etc/app")
    node.boot()
    again = restore(node.places.config, node.places.root, record=node.places.record)
    assert again == ()
    assert sorted(path.name for path in node.at("/etc/app").iterdir()) == ["a", "l"]


def test_a_start_does_not_wait_for_ever_and_big_files_come_last(node: KeptNode) -> None:
    node.write("/etc/app/big", "x" * (5 << 20))
    node.write("/etc/app/small", "1")
    node.add("/etc/app")
    assert restore(node.places.config, node.places.root, record=node.places.record, time_s=-1) != ()
    clock = [0.0]

    def tick() -> float:
        clock[0] += 1
        return clock[0]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("node.persist.kept.time.monotonic", tick)
        shutil.rmtree(node.at("/etc/app"))
        warnings = restore(node.places.config, node.places.root, record=node.places.record, time_s=4)
    assert warnings == ("/etc/app/big was not put back: there was no time for it at this start",)
    assert [path.name for path in node.at("/etc/app").iterdir()] == ["small"]
    save(node.places)
    node.boot()
    assert node.at("/etc/app/big").stat().st_size == 5 << 20
