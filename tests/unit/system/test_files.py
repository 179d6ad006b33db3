from __future__ import annotations

import os
from pathlib import Path

import pytest

from node.system.files import LiveFiles

files = LiveFiles()


def test_write_makes_folders_and_sets_the_mode(tmp_path: Path) -> None:
    path = tmp_path / "a/b/node.yaml"
    files.write(path, b"one", mode=0o600)
    files.write(path, b"two", mode=0o600)
    assert (files.read(path), path.stat().st_mode & 0o777) == (b"two", 0o600)
    assert [p.name for p in path.parent.iterdir()] == ["node.yaml"]


@pytest.mark.parametrize("call", ["fsync", "rename", "write"])
def test_failed_write_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str) -> None:
    path = tmp_path / "node.yaml"
    files.write(path, b"old")

    def broken(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, call, broken)
    with pytest.raises(OSError, match="No space"):
        files.write(path, b"new")
    assert path.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["node.yaml"]


def test_a_new_file_that_is_not_sure_to_last_is_not_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flushed: list[int] = []
    fsync = os.fsync

    def second_breaks(number: int) -> None:
        flushed.append(number)
        if len(flushed) == 2:
            raise OSError(5, "Input/output error")
        fsync(number)

    monkeypatch.setattr(os, "fsync", second_breaks)
    with pytest.raises(OSError, match="Input/output"):
        files.write(tmp_path / "node.yaml", b"new")
    assert list(tmp_path.iterdir()) == []


def test_a_filesystem_without_links_is_written_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refused)
    for contents in (b"old", b"new"):
        files.write(tmp_path / "grub.cfg", contents)
    assert (tmp_path / "grub.cfg").read_bytes() == b"new"
    assert files.names(tmp_path) == ["grub.cfg"]
    assert files.names(tmp_path / "none") == []


def test_flushed_before_it_takes_the_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    order: list[str] = []
    fsync, rename = os.fsync, os.rename
    monkeypatch.setattr(os, "fsync", lambda number: (order.append("fsync"), fsync(number)))
    monkeypatch.setattr(os, "rename", lambda a, b: (order.append("rename"), rename(a, b)))
    files.write(tmp_path / "x", b"x")
    assert order == ["fsync", "rename", "fsync"]


def test_remove_is_quiet_and_copy_copies(tmp_path: Path) -> None:
    files.remove(tmp_path / "none")
    files.write(tmp_path / "a", b"x" * 3_000_000)
    files.copy(tmp_path / "a", tmp_path / "sub/b", mode=0o640)
    assert (tmp_path / "sub/b").read_bytes() == (tmp_path / "a").read_bytes()
    assert (tmp_path / "sub/b").stat().st_mode & 0o777 == 0o640
    files.remove(tmp_path / "a")
    assert not files.exists(tmp_path / "a")
    with pytest.raises(FileNotFoundError):
        files.read(tmp_path / "a")
