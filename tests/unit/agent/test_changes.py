"""What a rendering changes in the files of a living root."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from node.agent.changes import at_restart, commands_of, compare
from node.errors import NodeError
from node.model.state import RenderedFile
from node.system.snapshots import Snapshot, put, take
from tests.unit.agent.desk import ME, own

IMAGE = f"root:x:{ME}:{ME}::/root:/bin/bash\ndaemon:x:1:1::/:/bin/false\n"


@pytest.fixture
def roots(tmp_path: Path) -> tuple[Path, Path]:
    for name in ("root", "image"):
        (tmp_path / name / "etc").mkdir(parents=True)
        (tmp_path / name / "etc/passwd").write_text(IMAGE)
    return tmp_path / "root", tmp_path / "image"


def lines(text: str) -> RenderedFile:
    return own("/etc/passwd", text, append=True, live=())


def test_added_lines_come_and_go_and_other_lines_stay(roots: tuple[Path, Path]) -> None:
    root, image = roots
    passwd = root / "etc/passwd"
    admin, ops = (
        lines("admin:x:1000:1000::/home/admin:/bin/bash\n"),
        lines("ops:x:1000:1000::/home/ops:/bin/bash\n"),
    )
    (change,) = compare([], [admin], root=root, image=image)
    put(passwd, change.after)
    assert passwd.read_text() == IMAGE + admin.contents
    # Somebody adds a user by hand: it lasts until the next boot, whatever we change.
    with passwd.open("a") as file:
        file.write("guest:x:1001:1001::/:/bin/sh\n")
    (change,) = compare([admin], [ops], root=root, image=image)
    put(passwd, change.after)
    assert passwd.read_text() == f"{IMAGE}guest:x:1001:1001::/:/bin/sh\n{ops.contents}"
    (change,) = compare([ops], [], root=root, image=image)
    assert change.after.text == f"{IMAGE}guest:x:1001:1001::/:/bin/sh\n"


def test_a_line_of_the_image_comes_back(roots: tuple[Path, Path]) -> None:
    root, image = roots
    old = lines("daemon:x:1:1:ours:/:/bin/true\n")
    (root / "etc/passwd").write_text(IMAGE.replace("daemon:x:1:1::/:/bin/false\n", old.contents))
    (change,) = compare([old], [], root=root, image=image)
    assert change.after.text == IMAGE
    (change,) = compare([old], [lines("admin:x:7:7::/:/bin/sh\n")], root=root, image=image)
    assert change.after.text == IMAGE + "admin:x:7:7::/:/bin/sh\n"


def test_owners_are_those_that_will_be(roots: tuple[Path, Path]) -> None:
    root, image = roots
    new = [
        RenderedFile("/etc/of-admin", "x", owner="admin", group=ME),
        lines(f"admin:x:{ME}:{ME}::/:/bin/sh\n"),
    ]
    found = {change.path: change for change in compare([], new, root=root, image=image)}
    assert found["/etc/of-admin"].after.owner == int(ME)
    with pytest.raises(NodeError, match="no 'admin'"):
        compare([], new[:1], root=root, image=image)


def test_mode_link_and_owner_count(roots: tuple[Path, Path]) -> None:
    root, image = roots
    file = own("/etc/x", "x\n", mode=0o600)
    (root / "etc/x").write_text("x\n")
    (root / "etc/x").chmod(0o644)
    (change,) = compare([], [file], root=root, image=image)
    put(root / "etc/x", change.after)
    assert take(root / "etc/x") == Snapshot(b"x\n", "", 0o600, int(ME), int(ME))
    assert compare([], [file], root=root, image=image) == ()
    link = RenderedFile("/etc/x", target="/etc/y")
    (change,) = compare([file], [link], root=root, image=image)
    put(root / "etc/x", change.after)
    assert str((root / "etc/x").readlink()) == "/etc/y"
    (change,) = compare([link], [file], root=root, image=image)
    put(root / "etc/x", change.after)
    assert not (root / "etc/x").is_symlink()


def test_commands_run_once_in_the_order_of_rendering(roots: tuple[Path, Path]) -> None:
    root, image = roots
    reload = ("systemctl", "daemon-reload")
    new = [
        own("/etc/b", "b", live=(reload, ("restart", "b"))),
        own("/etc/a", "a", live=(reload, ("restart", "a"))),
        own("/etc/later", "l"),
        own("/etc/at-once", "o", live=()),
    ]
    changes = compare([], new, root=root, image=image)
    assert commands_of(changes) == (reload, ("restart", "b"), ("restart", "a"))
    assert at_restart(changes) == ("/etc/later",)


def test_a_file_of_two_plugins_waits_for_the_restart_where_one_of_them_does(roots: tuple[Path, Path]) -> None:
    root, image = roots
    one, two = lines("a:x:7:7::/:/bin/sh\n"), replace(lines("b:x:8:8::/:/bin/sh\n"), live=None)
    (change,) = compare([], [one, two], root=root, image=image)
    assert change.live is None
    assert change.after.text == IMAGE + one.contents + two.contents


def test_a_folder_in_the_place_of_a_file_is_named(roots: tuple[Path, Path]) -> None:
    root, image = roots
    (root / "etc/x").mkdir()
    with pytest.raises(NodeError, match="/etc/x can't be read"):
        compare([], [own("/etc/x", "x")], root=root, image=image)


def test_a_file_that_cannot_be_put_leaves_the_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "x"
    path.write_text("old")
    monkeypatch.setattr("node.system.snapshots.os.fchown", lambda *_: (_ for _ in ()).throw(OSError("no")))
    with pytest.raises(OSError, match="no"):
        put(path, Snapshot(b"new"))
    assert path.read_text() == "old"
    assert [each.name for each in tmp_path.iterdir()] == ["x"]


def test_a_snapshot_is_plain_data_and_back() -> None:
    for snapshot in (
        Snapshot(),
        Snapshot(b"\xff\0", "", 0o640, 1, 2),
        Snapshot(target="../x"),
        Snapshot(b""),
    ):
        assert Snapshot.from_data(snapshot.to_data()) == snapshot
