"""What a restart would lose is said, and nothing else is."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from node.persist.kept_changes import What
from node.persist.kept_diff import Diff, read_diff, read_kept, read_lost
from node.persist.kept_noise import noise_reason
from node.persist.kept_places import KeptPlaces
from node.persist.kept_start import AS_SKEL, BY_THE_START, note_start
from tests.unit.persist.kept_node import KeptNode


class ChangedNode(KeptNode):
    """A node whose overlay we play: `changes` gets what the root has and the image hasn't."""

    @property
    def places(self) -> KeptPlaces:
        return replace(super().places, changes=self.folder / "upper")

    def settle(self) -> None:
        """Give the upper folder what an overlay would have there: copies, but no whiteouts."""
        upper, root, image = (self.folder / name for name in ("upper", "root", "image"))
        shutil.rmtree(upper, ignore_errors=True)
        upper.mkdir()
        for path in sorted(root.rglob("*")):
            inside = path.relative_to(root)
            theirs = image / inside
            untouched = theirs.is_file() and path.is_file() and theirs.read_bytes() == path.read_bytes()
            if untouched and theirs.stat().st_mode == path.stat().st_mode:
                continue
            if path.is_dir() and not path.is_symlink():
                (upper / inside).mkdir(parents=True, exist_ok=True)
            else:
                (upper / inside).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(path, upper / inside, follow_symlinks=False)


@pytest.fixture
def node(tmp_path: Path) -> ChangedNode:
    node = ChangedNode(tmp_path)
    for name in ("same", "changed", "mode", "removed", "kept"):
        node.image(f"/etc/app/{name}", "image")
    node.image("/etc/old/file", "image")
    node.boot(rendered=["/etc/made"])
    return node


def lost(node: ChangedNode) -> dict[str, str]:
    node.settle()
    found = {change.path: change.what.value for change in read_lost(node.places)}
    assert found == {change.path: change.what.value for change in read_diff(node.places).lost}
    return found


def diff(node: ChangedNode) -> Diff:
    node.settle()
    return read_diff(node.places)


def test_a_fresh_node_loses_nothing(node: ChangedNode) -> None:
    assert lost(node) == {}
    assert diff(node).rendered == 1


def test_every_kind_of_change_is_named_once(node: ChangedNode) -> None:
    node.write("/etc/app/changed", "own!!")
    node.at("/etc/app/mode").chmod(0o600)
    node.at("/etc/app/removed").unlink()
    node.write("/etc/app/new", "own")
    node.write("/opt/big/a", "12345")
    node.write("/opt/big/sub/b", "123")
    node.at("/etc/link").symlink_to("app")
    shutil.rmtree(node.at("/etc/old"))
    assert lost(node) == {
        "/etc/app/changed": "changed",
        "/etc/app/mode": "owner or mode",
        "/etc/app/new": "new",
        "/etc/app/removed": "removed",
        "/etc/link": "new",
        "/etc/old": "removed",
        "/opt": "new",
    }
    opt = next(change for change in diff(node).lost if change.path == "/opt")
    assert (opt.is_folder, opt.files, opt.size) == (True, 2, 8)


def test_what_is_only_rewritten_is_no_change(node: ChangedNode) -> None:
    node.settle()
    (node.folder / "upper/etc/app").mkdir(parents=True, exist_ok=True)
    shutil.copy(node.at("/etc/app/same"), node.folder / "upper/etc/app/same")
    assert read_lost(node.places) == ()


def test_what_is_kept_or_rendered_is_not_lost(node: ChangedNode) -> None:
    node.write("/etc/app/kept", "own")
    node.write("/opt/app/conf", "own")
    node.write("/opt/app/other", "own")
    node.add("/etc/app/kept", "/opt/app/conf")
    assert lost(node) == {"/opt/app/other": "new"}
    node.boot(rendered=["/etc/made"])
    assert lost(node) == {}


def test_a_rendered_file_that_was_changed_by_hand_is_lost(node: ChangedNode) -> None:
    later = node.places.rendered.stat().st_mtime_ns + 1
    node.write("/etc/made", "by hand")
    os.utime(node.at("/etc/made"), ns=(later, later))
    assert lost(node) == {"/etc/made": "changed"}
    assert "nodectl config" in diff(node).lost[0].why


def test_what_the_system_changes_by_itself_has_a_reason(node: ChangedNode) -> None:
    node.write("/var/lib/systemd/random-seed", "x")
    node.write("/etc/.pwd.lock", "")
    node.write("/var/lib/own/data", "x")
    found = diff(node)
    # A new folder with nothing but such things in it stands for them.
    assert {change.path for change in found.expected} == {"/etc/.pwd.lock", "/var/lib/systemd"}
    assert all(change.why for change in found.expected)
    assert [change.path for change in found.lost] == ["/var/lib/own"]


@pytest.mark.parametrize(
    ("path", "is_noise"),
    [
        ("/etc/passwd-", True),
        ("/var/cache/x/y", True),
        ("/usr/lib/python3/dist-packages/node/__pycache__/x.pyc", True),
        ("/home/admin/.bash_history", True),
        ("/home/admin/.ssh/authorized_keys", False),
        ("/etc/passwd", False),
        ("/var/lib/libvirt/images/a.qcow2", False),
        ("/root/notes", False),
        ("/etc/app.conf", False),
    ],
)
def test_what_counts_as_the_systems_own(path: str, is_noise: bool) -> None:
    assert bool(noise_reason(path)) is is_noise


def test_what_the_start_itself_changes_is_no_loss_until_it_is_changed_again(node: ChangedNode) -> None:
    node.write("/etc/app/changed", "numbered by a service")
    node.write("/home/admin/.profile", "skeleton")
    node.write("/home/admin/.bashrc", "skeleton")
    node.at("/etc/app/removed").unlink()
    node.settle()
    assert note_start(node.places)
    assert lost(node) == {}
    assert {change.path: change.why for change in diff(node).expected} == dict.fromkeys(
        ("/etc/app/changed", "/etc/app/removed", "/home"), BY_THE_START
    )
    node.write("/etc/app/changed", "edited by somebody")
    node.write("/home/admin/.bash_history", "reboot")
    node.write("/home/admin/notes", "mine")
    node.write("/etc/app/removed", "again")
    assert lost(node) == {
        "/etc/app/changed": "changed",
        "/etc/app/removed": "changed",
        "/home/admin/notes": "new",
    }


def test_a_home_that_was_made_since_is_no_loss_as_long_as_it_is_like_every_new_one(node: ChangedNode) -> None:
    """As that of an admin who was renamed: the start makes it, and what was put into it is lost."""
    for name in (".profile", ".bashrc"):
        node.image(f"/etc/skel/{name}", "skeleton")
    node.boot()
    note_start(node.places)
    for name in (".profile", ".bashrc"):
        node.write(f"/home/ops/{name}", "skeleton")
    assert lost(node) == {}
    assert {change.path: change.why for change in read_diff(node.places).expected}["/home"] == AS_SKEL
    node.write("/home/ops/.bashrc", "mine")
    node.write("/home/ops/notes", "mine")
    assert lost(node) == {"/home/ops/.bashrc": "new", "/home/ops/notes": "new"}


def test_only_slow_services_are_waited_for(node: ChangedNode) -> None:
    node.settle()
    note_start(node.places)
    node.write("/etc/libvirt/qemu/networks/default.xml", "<uuid>")
    node.write("/etc/own", "mine")
    node.settle()
    assert note_start(node.places, only_late=True)
    assert not note_start(node.places, only_late=True)
    assert lost(node) == {"/etc/own": "new"}
    # What was noted once isn't noted anew: then it was somebody else.
    node.write("/etc/libvirt/qemu/networks/default.xml", "<uuid> and mine")
    node.settle()
    assert not note_start(node.places, only_late=True)
    assert lost(node) == {"/etc/own": "new", "/etc/libvirt": "new"}


def test_the_third_part_compares_what_is_kept_with_the_image(node: ChangedNode) -> None:
    node.write("/etc/app/changed", "own")
    node.at("/etc/app/mode").chmod(0o600)
    node.at("/etc/app/removed").unlink()
    node.write("/etc/app/new", "own")
    node.add("/etc/app", "/etc/app/same")
    assert {change.path: change.what for change in diff(node).image} == {
        "/etc/app/changed": What.CHANGED,
        "/etc/app/mode": What.ATTRIBUTES,
        "/etc/app/new": What.NEW,
        "/etc/app/removed": What.REMOVED,
        "/etc/app/same": What.SAME,
    }


def test_the_first_part_says_how_each_path_is(node: ChangedNode) -> None:
    node.write("/etc/app/kept", "12345")
    node.write("/etc/other", "1")
    node.add("/etc/app", "/etc/other")
    node.write("/etc/app/later", "1")
    node.settle()
    (app, other), warnings = read_kept(node.places)
    assert (app.path, app.kind, app.files, app.size) == ("/etc/app", "folder", 1, 5)
    assert app.unsaved == ("/etc/app/later",)
    assert (other.path, other.kind, other.unsaved, other.waits) == ("/etc/other", "file", (), False)
    assert warnings == ()
    node.save()
    assert read_kept(node.places)[0][0].unsaved == ()
    shutil.rmtree(node.places.kept / "blobs")
    node.boot(rendered=["/etc/made"])
    node.settle()
    app = read_kept(node.places)[0][0]
    assert set(app.failed or {}) == {"/etc/app/kept", "/etc/app/later"}
    node.places.record.unlink()
    assert all(each.waits for each in read_kept(node.places)[0])


def test_a_machine_without_an_image_says_so(node: ChangedNode) -> None:
    places = replace(node.places, image=node.folder / "none")
    assert "no Nodecrust image" in read_diff(places).unknown
    assert read_lost(places) == ()
