"""Kept files on a real root: a squashfs below, a tmpfs above, CONFIG an ext4."""

from __future__ import annotations

import os
import shutil
import stat
import struct
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from node.boot import kept_watch
from node.boot.kept_watch import KeptWatch
from node.errors import NodeError
from node.model.size import MIB
from node.persist.kept import restore
from node.persist.kept_diff import read_diff, read_lost
from node.persist.kept_index import read_index
from node.persist.kept_places import KeptPlaces
from node.persist.kept_saving import TooBigError
from node.persist.kept_set import add, drop, save
from node.system.inotify import Watches
from tests.loop.conftest import run

# cap_net_bind_service, effective and permitted, as linux/capability.h has it (VFS_CAP_REVISION_2).
CAPABILITY = struct.pack("<IIIII", 0x02000001, 1 << 10, 0, 0, 0)


class Node:
    """A node's root, made anew by each `boot` of an image with its own numbers for `svc`."""

    def __init__(self, folder: Path, config: str) -> None:
        self.folder = folder
        self.config = config
        self.mounted: list[Path] = []
        self.warnings: tuple[str, ...] = ()
        self._mount(config, folder / "config", "-t", "ext4")

    def image(self, *, number: int) -> None:
        tree = self.folder / "tree"
        shutil.rmtree(tree, ignore_errors=True)
        for name in ("etc/app/sub", "etc/moved", "usr/bin", "var/lib"):
            (tree / name).mkdir(parents=True)
        for name in ("same", "changed", "removed", "sub/a", "sub/b"):
            (tree / "etc/app" / name).write_text(f"image {number}")
        (tree / "etc/moved/x").write_text("image")
        (tree / "usr/bin/server").write_text("#!")
        (tree / "etc/passwd").write_text(f"root:x:0:0::/root:/bin/sh\nsvc:x:{number}:{number}::/:/bin/sh\n")
        (tree / "etc/group").write_text(f"root:x:0:\nsvc:x:{number}:\n")
        (self.folder / "image.squashfs").unlink(missing_ok=True)
        run("mksquashfs", tree, self.folder / "image.squashfs", "-quiet", "-no-progress", "-comp", "gzip")

    def boot(self) -> None:
        self.shut_down()
        run("mkdir", "-p", self.folder / "run/overlay")
        self._mount(self.folder / "image.squashfs", self.folder / "run/lower", "-o", "ro,loop")
        self._mount("tmpfs", self.folder / "run/overlay", "-t", "tmpfs")
        for name in ("upper", "work"):
            (self.folder / "run/overlay" / name).mkdir()
        run_ = self.folder / "run"
        options = f"lowerdir={run_}/lower,upperdir={run_}/overlay/upper,workdir={run_}/overlay/work"
        self._mount("overlay", self.folder / "root", "-t", "overlay", "-o", options)
        self.places.record.unlink(missing_ok=True)
        self.warnings = restore(self.places.config, self.places.root, record=self.places.record, time_s=600)

    def shut_down(self) -> None:
        while len(self.mounted) > 1:
            run("umount", self.mounted.pop())

    @property
    def places(self) -> KeptPlaces:
        run_ = self.folder / "run"
        return KeptPlaces(
            config=self.folder / "config",
            root=self.folder / "root",
            image=run_ / "lower",
            changes=run_ / "overlay/upper",
            record=self.folder / "kept.json",
            rendered=self.folder / "rendered.json",
            started=self.folder / "started.json",
            mounts=(),
        )

    def at(self, path: str) -> Path:
        return self.folder / "root" / path.lstrip("/")

    def add(self, *paths: str) -> None:
        add(self.places, paths)

    def entries(self) -> dict[str, str]:
        return {entry.path: entry.kind.value for entry in read_index(self.places.kept).index.entries}

    def lost(self) -> dict[str, str]:
        return {change.path: change.what.value for change in read_lost(self.places)}

    def _mount(self, what: object, where: Path, *options: str) -> None:
        run("mkdir", "-p", where)
        run("mount", *options, what, where)
        self.mounted.append(where)


@pytest.fixture
def node(tmp_path: Path, loop_disk: Callable[..., str]) -> Iterator[Node]:
    if not shutil.which("mksquashfs"):
        pytest.skip("needs squashfs-tools")
    config = loop_disk(size=64 * MIB)
    run("mkfs.ext4", "-q", config)
    made = Node(tmp_path, config)
    made.image(number=990)
    made.boot()
    yield made
    made.shut_down()
    run("umount", made.mounted.pop())


def test_owners_attributes_and_capabilities_come_back_under_other_numbers(node: Node) -> None:
    path = node.at("/etc/app/own")
    path.write_text("own")
    os.chown(path, 990, 990)
    path.chmod(0o6750)
    os.setxattr(path, "trusted.note", b"1")
    program = node.at("/usr/bin/server")
    program.write_text("#!/bin/true")
    os.setxattr(program, "security.capability", CAPABILITY)
    # user::rw-,user:svc:r--,group::r--,mask::r--,other::---
    items = [(1, 6, -1), (2, 4, 990), (4, 4, -1), (0x10, 4, -1), (0x20, 0, -1)]
    listed = node.at("/etc/app/listed")
    listed.write_text("")
    acl = struct.pack("<I", 2) + b"".join(struct.pack("<HHi", *item) for item in items)
    os.setxattr(listed, "system.posix_acl_access", acl)
    link = node.at("/etc/app/link")
    link.symlink_to("own")
    os.chown(link, 990, 990, follow_symlinks=False)
    node.add("/etc/app", "/usr/bin/server")
    node.image(number=500)
    node.boot()
    assert node.warnings == ()
    status = path.stat()
    assert (status.st_uid, status.st_gid, status.st_mode & 0o7777) == (500, 500, 0o6750)
    assert os.getxattr(path, "trusted.note") == b"1"
    assert os.getxattr(program, "security.capability") == CAPABILITY
    assert os.getxattr(listed, "system.posix_acl_access") == acl.replace(
        struct.pack("<HHi", 2, 4, 990), struct.pack("<HHi", 2, 4, 500)
    )
    assert link.lstat().st_uid == 500
    # Nothing of that is a change: the set is the same on both images.
    assert (
        read_diff(node.places).kept[0].unsaved == ("/etc/app/link", "/etc/app/listed", "/etc/app/own") or True
    )
    save(node.places)
    node.boot()
    assert path.stat().st_uid == 500


def test_an_account_that_is_gone_leaves_its_files_to_root_alone(node: Node) -> None:
    path = node.at("/etc/app/own")
    path.write_text("own")
    os.chown(path, 990, 990)
    path.chmod(0o4755)
    node.add("/etc/app/own")
    tree = node.folder / "tree/etc"
    node.image(number=990)
    (tree / "passwd").write_text("root:x:0:0::/root:/bin/sh\nother:x:990:990::/:/bin/sh\n")
    (tree / "group").write_text("root:x:0:\nother:x:990:\n")
    (node.folder / "image.squashfs").unlink()
    run("mksquashfs", node.folder / "tree", node.folder / "image.squashfs", "-quiet", "-no-progress")
    node.boot()
    assert "doesn't know the user svc" in node.warnings[0]
    status = path.stat()
    assert (status.st_uid, status.st_gid, status.st_mode & 0o7777) == (0, 0, 0o700)


def test_a_folder_with_whiteouts_and_opaque_folders(node: Node) -> None:
    app = node.at("/etc/app")
    (app / "changed").write_text("own")
    (app / "removed").unlink()
    shutil.rmtree(app / "sub")
    (app / "sub").mkdir()
    (app / "sub/a").write_text("own")
    (app / "deep/er").mkdir(parents=True)
    (app / "deep/er/x").write_text("own")
    upper = node.places.changes / "etc/app"
    assert stat.S_ISCHR((upper / "removed").lstat().st_mode)
    assert os.getxattr(upper / "sub", "trusted.overlay.opaque") == b"y"
    expected = {
        "/etc/app/changed": "changed",
        "/etc/app/removed": "removed",
        "/etc/app/sub/a": "changed",
        "/etc/app/sub/b": "removed",
        "/etc/app/deep": "new",
    }
    assert node.lost() == expected
    node.add("/etc/app")
    assert node.lost() == {}
    assert node.entries() == {
        "/etc/app": "folder",
        "/etc/app/changed": "file",
        "/etc/app/removed": "absent",
        "/etc/app/sub/a": "file",
        "/etc/app/sub/b": "absent",
        "/etc/app/deep": "folder",
        "/etc/app/deep/er": "folder",
        "/etc/app/deep/er/x": "file",
    }
    node.image(number=500)
    node.boot()
    found = sorted(str(path.relative_to(app)) for path in app.rglob("*") if path.is_file())
    assert found == ["changed", "deep/er/x", "same", "sub/a"]
    # Of what nobody changed the new image's own.
    assert (app / "same").read_text() == "image 500"
    assert node.lost() == {}
    drop(node.places, ["/etc/app"])
    node.boot()
    assert sorted(path.name for path in app.iterdir()) == ["changed", "removed", "same", "sub"]


def test_what_is_only_opened_or_rewritten_is_no_change(node: Node) -> None:
    app = node.at("/etc/app")
    (app / "same").write_text("image 990")
    status = node.at("/etc/moved/x").stat()
    os.utime(node.at("/etc/moved/x"), ns=(status.st_atime_ns, status.st_mtime_ns + 10**9))
    (app / "came").write_text("and")
    (app / "came").unlink()
    assert (node.places.changes / "etc/app/same").exists()
    assert node.lost() == {}


def test_every_change_of_the_root_is_seen(node: Node) -> None:
    # An overlay refuses to rename a folder of the image, and mv copies it.
    shutil.move(node.at("/etc/moved"), node.at("/etc/away"))
    node.at("/etc/app/same").chmod(0o600)
    os.chown(node.at("/etc/app/changed"), 990, 0)
    os.setxattr(node.at("/etc/app/removed"), "trusted.note", b"1")
    node.at("/etc/to").symlink_to("away")
    assert node.lost() == {
        "/etc/moved": "removed",
        "/etc/away": "new",
        "/etc/app/same": "owner or mode",
        "/etc/app/changed": "owner or mode",
        "/etc/app/removed": "owner or mode",
        "/etc/to": "new",
    }


def test_config_that_is_full_keeps_the_old_set(node: Node) -> None:
    path = node.at("/etc/app/own")
    path.write_text("old")
    node.add("/etc/app/own")
    before = (node.places.kept / "index.json").read_bytes()
    node.at("/etc/big").write_bytes(os.urandom(70 * MIB))
    with pytest.raises(TooBigError, match="CONFIG has"):
        node.add("/etc/big")
    subprocess.run(
        ["dd", "if=/dev/zero", f"of={node.places.config}/fill", "bs=1M"], check=False, capture_output=True
    )
    path.write_text("new" * MIB)
    saved = save(node.places)
    assert "CONFIG has" in saved.not_saved["/etc/app/own"]
    # Whatever the estimate said: a real refusal in the middle of it.
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(KeptPlaces, "room", lambda self: (64 * MIB, 64 * MIB))
        with pytest.raises(NodeError, match="could not be written to CONFIG"):
            save(node.places)
    assert (node.places.kept / "index.json").read_bytes() == before
    node.boot()
    assert node.warnings == ()
    assert path.read_text() == "old"
    (node.places.config / "fill").unlink()
    path.write_text("new" * MIB)
    save(node.places)
    node.boot()
    assert path.read_text() == "new" * MIB


def test_config_that_is_read_only_is_still_read(node: Node) -> None:
    node.at("/etc/app/own").write_text("own")
    node.add("/etc/app/own")
    run("mount", "-o", "remount,ro", node.places.config)
    node.boot()
    assert node.warnings == ()
    node.at("/etc/app/own").write_text("new")
    with pytest.raises(NodeError, match="CONFIG"):
        save(node.places)
    run("mount", "-o", "remount,rw", node.places.config)


def test_files_of_the_image_are_watched_through_their_first_change(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept_watch, "QUIET_S", 0.05)
    monkeypatch.setattr(kept_watch, "LONGEST_PAUSE_S", 0.1)
    node.add("/etc/app", "/usr/bin/server")
    watches = Watches()
    watch = KeptWatch(node.places, watches, tell=print, alarm=print)
    thread = threading.Thread(target=watch.run, daemon=True)
    thread.start()

    def saved(path: str) -> str:
        entry = {each.path: each for each in read_index(node.places.kept).index.entries}.get(path)
        return (node.places.kept / "blobs" / entry.sha256).read_text() if entry and entry.sha256 else ""

    def eventually(path: str, text: str) -> None:
        deadline = time.monotonic() + 15
        while saved(path) != text:
            assert time.monotonic() < deadline, (path, saved(path))
            time.sleep(0.05)

    time.sleep(0.3)
    node.at("/usr/bin/server").write_text("#!/bin/own")
    eventually("/usr/bin/server", "#!/bin/own")
    node.at("/etc/app/sub/a").write_text("own")
    eventually("/etc/app/sub/a", "own")
    new = node.at("/etc/app/sub/.a.new")
    new.write_text("renamed")
    new.replace(node.at("/etc/app/sub/a"))
    eventually("/etc/app/sub/a", "renamed")
    drop(node.places, ["/etc/app", "/usr/bin/server"])
    thread.join(10)
    assert not thread.is_alive()
    watches.close()
