"""What is kept is there after a reboot, as it was saved last; nothing else is."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from node.errors import InputError, NodeError, UnfitMachineError
from node.persist.kept_index import INDEX_FILE, read_index
from node.persist.kept_places import KeptPlaces
from node.persist.kept_saving import TooBigError
from node.persist.kept_set import add, drop, save
from tests.unit.persist.kept_node import KeptNode


@pytest.fixture
def node(tmp_path: Path) -> KeptNode:
    return KeptNode(tmp_path)


def test_a_file_comes_back_as_it_was(node: KeptNode) -> None:
    path = node.write("/etc/app.conf", "own")
    path.chmod(0o4640)
    os.utime(path, ns=(10**18, 10**18))
    node.write("/etc/other.conf", "own too")
    node.add("/etc/app.conf")
    node.boot()
    status = node.at("/etc/app.conf").stat()
    assert node.at("/etc/app.conf").read_text() == "own"
    assert (status.st_mode & 0o7777, status.st_mtime_ns) == (0o4640, 10**18)
    assert not node.at("/etc/other.conf").exists()
    assert node.warnings == ()


def test_a_file_of_the_image_is_replaced(node: KeptNode) -> None:
    node.image("/etc/app.conf", "image")
    node.boot()
    node.write("/etc/app.conf", "own")
    node.add("/etc/app.conf")
    node.boot()
    assert node.at("/etc/app.conf").read_text() == "own"


def test_later_changes_are_saved_by_whatever_writer(node: KeptNode) -> None:
    node.write("/etc/app.conf", "1")
    node.add("/etc/app.conf")
    node.replace("/etc/app.conf", "2")
    node.save()
    node.boot()
    assert node.at("/etc/app.conf").read_text() == "2"
    node.at("/etc/app.conf").chmod(0o600)
    node.save()
    node.boot()
    assert node.at("/etc/app.conf").stat().st_mode & 0o777 == 0o600
    assert node.blobs() == 1


def test_what_was_not_saved_is_lost(node: KeptNode) -> None:
    node.write("/etc/app.conf", "1")
    node.add("/etc/app.conf")
    node.write("/etc/app.conf", "2")
    node.boot()
    assert node.at("/etc/app.conf").read_text() == "1"


def test_a_removed_file_stays_removed_and_may_come_again(node: KeptNode) -> None:
    node.image("/etc/app.conf", "image")
    node.boot()
    node.add("/etc/app.conf")
    node.at("/etc/app.conf").unlink()
    node.save()
    node.boot()
    assert not node.at("/etc/app.conf").exists()
    assert node.entries() == {"/etc/app.conf": "absent"}
    node.write("/etc/app.conf", "again")
    node.save()
    node.boot()
    assert node.at("/etc/app.conf").read_text() == "again"


def test_a_folder_comes_back_whole_and_only_that_is_stored_which_differs(node: KeptNode) -> None:
    for name in ("same", "changed", "removed"):
        node.image(f"/etc/app/{name}", "image")
    node.image("/etc/app/old/file", "image")
    node.boot()
    node.write("/etc/app/changed", "own")
    node.write("/etc/app/sub/new", "own")
    node.at("/etc/app/sub").chmod(0o700)
    node.at("/etc/app/removed").unlink()
    (node.at("/etc/app/old") / "file").unlink()
    node.at("/etc/app/old").rmdir()
    node.add("/etc/app")
    assert node.entries() == {
        "/etc/app": "folder",
        "/etc/app/changed": "file",
        "/etc/app/old": "absent",
        "/etc/app/removed": "absent",
        "/etc/app/sub": "folder",
        "/etc/app/sub/new": "file",
    }
    # A new image brings its own version of what nobody changed.
    node.image("/etc/app/same", "newer image")
    node.image("/etc/app/changed", "newer image")
    node.boot()
    found = {str(p.relative_to(node.at("/etc/app"))) for p in node.at("/etc/app").rglob("*")}
    assert found == {"same", "changed", "sub", "sub/new"}
    assert node.at("/etc/app/same").read_text() == "newer image"
    assert node.at("/etc/app/changed").read_text() == "own"
    assert node.at("/etc/app/sub").stat().st_mode & 0o777 == 0o700


def test_a_file_that_is_named_is_kept_though_it_is_the_images(node: KeptNode) -> None:
    node.image("/etc/app.conf", "image")
    node.boot()
    node.add("/etc/app.conf")
    node.image("/etc/app.conf", "newer image")
    node.boot()
    assert node.at("/etc/app.conf").read_text() == "image"


def test_symlinks_are_kept_as_such(node: KeptNode) -> None:
    node.image("/etc/zone", "image")
    node.boot()
    node.at("/etc/zone").unlink()
    node.at("/etc/zone").symlink_to("/usr/share/nowhere")
    node.at("/etc/hung").symlink_to("zone")
    node.add("/etc/zone", "/etc/hung")
    node.boot()
    assert str(node.at("/etc/zone").readlink()) == "/usr/share/nowhere"
    assert str(node.at("/etc/hung").readlink()) == "zone"


def test_folders_that_lead_to_what_is_kept_come_back_as_they_were(node: KeptNode) -> None:
    node.write("/opt/app/conf/a", "1")
    node.at("/opt/app").chmod(0o750)
    node.add("/opt/app/conf/a")
    node.boot()
    assert node.at("/opt/app/conf/a").read_text() == "1"
    assert node.at("/opt/app").stat().st_mode & 0o777 == 0o750


def test_a_folder_that_became_a_file_and_the_other_way_round(node: KeptNode) -> None:
    node.image("/etc/was-folder/x", "image")
    node.image("/etc/was-file", "image")
    node.boot()
    (node.at("/etc/was-folder") / "x").unlink()
    node.at("/etc/was-folder").rmdir()
    node.write("/etc/was-folder", "a file now")
    node.at("/etc/was-file").unlink()
    node.write("/etc/was-file/x", "in a folder now")
    node.add("/etc/was-folder", "/etc/was-file")
    node.boot()
    assert node.warnings == ()
    assert node.at("/etc/was-folder").read_text() == "a file now"
    assert node.at("/etc/was-file/x").read_text() == "in a folder now"


def test_hard_links_stay_one_file_and_are_stored_once(node: KeptNode) -> None:
    first = node.write("/etc/app/a", "both")
    os.link(first, node.at("/etc/app/b"))
    node.add("/etc/app")
    assert node.blobs() == 1
    node.boot()
    assert node.at("/etc/app/a").samefile(node.at("/etc/app/b"))


def test_holes_stay_holes(node: KeptNode) -> None:
    with node.write("/etc/big", "").open("wb") as file:
        file.write(b"start")
        file.seek(8 << 20)
        file.write(b"middle")
        file.truncate(16 << 20)
    before = node.at("/etc/big").read_bytes()
    node.add("/etc/big")
    node.boot()
    status = node.at("/etc/big").stat()
    assert status.st_size == 16 << 20
    assert status.st_blocks * 512 < 1 << 20
    assert node.at("/etc/big").read_bytes() == before
    blob = next((node.places.kept / "blobs").iterdir())
    assert blob.stat().st_blocks * 512 < 1 << 20


@pytest.mark.parametrize("size", [0, 1, 4095, 4096, 4097, 8192, (1 << 18) - 1, (1 << 18) + 1])
@pytest.mark.parametrize("byte", [b"\0", b"x"])
def test_contents_of_any_length_come_back(node: KeptNode, size: int, byte: bytes) -> None:
    node.write("/etc/file", "").write_bytes(byte * size)
    node.add("/etc/file")
    node.boot()
    assert node.at("/etc/file").read_bytes() == byte * size


def test_extended_attributes_come_back(node: KeptNode) -> None:
    path = node.write("/etc/app/a", "1")
    try:
        os.setxattr(path, "user.origin", b"here\0\xff")
    except OSError:
        pytest.skip("this filesystem has no user.* attributes")
    os.setxattr(path.parent, "user.folder", b"1")
    node.add("/etc/app")
    node.boot()
    assert os.getxattr(node.at("/etc/app/a"), "user.origin") == b"here\0\xff"
    assert os.getxattr(node.at("/etc/app"), "user.folder") == b"1"


def test_names_that_are_no_text_come_back(node: KeptNode) -> None:
    name = os.fsdecode(b"/etc/caf\xe9 \n\xff")
    node.write(name, "1")
    node.add(name)
    node.boot()
    assert node.at(name).read_text() == "1"


@pytest.mark.effects("sockets")
def test_what_has_no_contents_is_refused_or_left_out(node: KeptNode) -> None:
    node.at("/etc/app").mkdir()
    os.mkfifo(node.at("/etc/app/pipe"))
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(node.at("/etc/app/socket")))
    node.write("/etc/app/file", "1")
    for name, words in (("pipe", "a named pipe"), ("socket", "a socket")):
        with pytest.raises(InputError) as caught:
            node.add("/etc/app/file", f"/etc/app/{name}")
        assert words in caught.value.details
    assert node.entries() == {}
    saved = add(node.places, ["/etc/app"])
    assert saved.changed == ("/etc/app", "/etc/app/file")
    assert set(saved.left_out) == {"/etc/app/pipe", "/etc/app/socket"}


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/", "too much"),
        ("/etc", "too much"),
        ("/config/x", "on the disk already"),
        ("/run/x", "made anew"),
        ("/var/log/syslog", "LOGGING"),
        ("/data/x", "DATA"),
        ("/proc/1", "kernel"),
        ("/etc/passwd", "accounts"),
        ("/etc/shadow", "nodectl password"),
        ("/etc/ssh/ssh_host_ed25519_key", "by itself"),
        ("/etc/netplan/50.yaml", "nodectl config"),
        ("/etc/none", "nothing of that name"),
        ("/mnt/disk/x", "mounted at /mnt/disk"),
    ],
)
def test_refusals_say_why(node: KeptNode, path: str, words: str) -> None:
    node.boot(rendered=["/etc/netplan/50.yaml"])
    if path.startswith(("/config", "/data", "/mnt")):
        node.write(path, "1")
    places = KeptPlaces(**{**vars(node.places), "mounts": ("/mnt/disk",)})
    with pytest.raises(InputError) as caught:
        add(places, [path])
    assert caught.value.exit_code == 2
    assert words in caught.value.details
    assert not (node.places.kept / INDEX_FILE).exists()


def test_a_path_is_told_by_where_it_leads_but_for_its_last_part(node: KeptNode) -> None:
    node.write("/usr/share/x", "1")
    node.at("/lnk").symlink_to("usr/share")
    assert node.places.canonical(Path("/lnk/x")) == "/usr/share/x"
    assert node.places.canonical(Path("/usr/share/../../lnk")) == "/lnk"
    assert node.places.canonical(Path("/")) == "/"
    assert node.places.canonical(Path("/lnk/")) == "/lnk"


def test_a_current_folder_that_is_gone_is_said(
    node: KeptNode, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    with pytest.raises(InputError, match="current folder, which is gone"):
        node.places.canonical(Path("x"))
    assert node.places.canonical(Path("/x")) == "/x"


def test_a_node_without_config_keeps_nothing(node: KeptNode) -> None:
    node.write("/etc/x", "1")
    places = KeptPlaces(**{**vars(node.places), "mounts": None})
    with pytest.raises(UnfitMachineError):
        add(places, ["/etc/x"])


def test_drop_forgets_and_the_image_comes_through(node: KeptNode) -> None:
    node.image("/etc/app.conf", "image")
    node.boot()
    node.write("/etc/app.conf", "own")
    node.write("/etc/app/a", "1")
    node.add("/etc/app.conf", "/etc/app")
    with pytest.raises(InputError) as caught:
        drop(node.places, ["/etc/app.conf", "/etc/app/a", "/etc/none"])
    assert "part of /etc/app" in caught.value.details
    assert "isn't kept" in caught.value.details
    drop(node.places, ["/etc/app.conf"])
    assert node.blobs() == 1
    node.boot()
    assert node.at("/etc/app.conf").read_text() == "image"
    assert node.at("/etc/app/a").read_text() == "1"
    drop(node.places, ["/etc/app"])
    assert node.entries() == {}
    assert node.blobs() == 0


def test_a_saving_without_changes_writes_nothing(node: KeptNode) -> None:
    node.write("/etc/app/a", "1")
    node.add("/etc/app")
    before = (node.places.kept / INDEX_FILE).stat().st_ino
    node.write("/etc/app/b", "2")
    node.at("/etc/app/b").unlink()
    assert save(node.places).changed == ()
    assert (node.places.kept / INDEX_FILE).stat().st_ino == before


def test_what_has_no_room_is_refused_and_says_how_much(
    node: KeptNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    node.write("/etc/small", "1")
    node.add("/etc/small")
    monkeypatch.setattr(KeptPlaces, "room", lambda self: (64 << 20, 5 << 20))
    node.write("/etc/big", "").write_bytes(b"x" * (2 << 20))
    with pytest.raises(TooBigError, match=r"2 MiB would be needed; CONFIG has 1 MiB"):
        node.add("/etc/big")
    monkeypatch.setattr(KeptPlaces, "room", lambda self: (1 << 20, 50 << 20))
    with pytest.raises(TooBigError, match=r"is 2 MiB long; CONFIG has 1 MiB in all"):
        node.add("/etc/big")
    assert node.entries() == {"/etc/small": "file"}
    assert node.blobs() == 1


def test_one_that_grew_too_big_keeps_its_old_contents_and_the_others_are_saved(
    node: KeptNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    node.write("/etc/app/big", "small yet")
    node.write("/etc/app/other", "1")
    node.add("/etc/app")
    node.write("/etc/app/big", "x" * (2 << 20))
    node.write("/etc/app/other", "2")
    monkeypatch.setattr(KeptPlaces, "room", lambda self: (64 << 20, 5 << 20))
    saved = save(node.places)
    assert "2 MiB" in saved.not_saved["/etc/app/big"]
    node.boot()
    assert node.at("/etc/app/big").read_text() == "small yet"
    assert node.at("/etc/app/other").read_text() == "2"


def test_nothing_is_saved_where_nothing_was_put_back(node: KeptNode) -> None:
    node.image("/etc/app.conf", "image")
    node.boot()
    node.write("/etc/app.conf", "own")
    node.write("/etc/other.conf", "own")
    node.add("/etc/app.conf", "/etc/other.conf")
    node.at("/etc/app.conf").write_text("image")
    node.places.record.unlink()
    with pytest.raises(NodeError, match="not put back"):
        node.save()
    # What is asked for by name is kept all the same, and nothing else is touched.
    node.write("/etc/new.conf", "new")
    node.at("/etc/other.conf").unlink()
    node.add("/etc/new.conf")
    node.save()
    node.boot()
    assert node.at("/etc/app.conf").read_text() == "own"
    assert node.at("/etc/other.conf").read_text() == "own"
    assert node.at("/etc/new.conf").read_text() == "new"


def test_paths_of_plugins_are_kept_from_their_first_boot_on(node: KeptNode) -> None:
    node.boot(declared={"vendor": ["/var/lib/vendor", "/etc"], "other": []})
    assert len(node.warnings) == 1
    assert node.warnings[0].startswith("plugin vendor: /etc can't be kept")
    node.write("/var/lib/vendor/a", "1")
    node.save()
    node.boot(declared={"vendor": ["/var/lib/vendor"]})
    assert node.at("/var/lib/vendor/a").read_text() == "1"
    assert read_index(node.places.kept).index.paths[0].by == "vendor"
    with pytest.raises(InputError) as caught:
        drop(node.places, ["/var/lib/vendor"])
    assert "plugin vendor" in caught.value.details
    # A plugin that is gone, or failed to load once, costs nothing of its data.
    node.boot()
    assert node.at("/var/lib/vendor/a").read_text() == "1"
    drop(node.places, ["/var/lib/vendor"])
    assert node.entries() == {}
