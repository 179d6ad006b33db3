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


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_failed_write_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str) -> None:
    path = tmp_path / "node.yaml"
    files.write(path, b"old")

    def broken(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(*((os, "fsync", broken) if call == "fsync" else (Path, "replace", broken)))
    with pytest.raises(OSError, match="No space"):
        files.write(path, b"new")
    assert path.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["node.yaml"]


def test_flushed_before_it_takes_the_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    order: list[str] = []
    fsync, replace = os.fsync, Path.replace
    monkeypatch.setattr(os, "fsync", lambda number: (order.append("fsync"), fsync(number)))
    monkeypatch.setattr(Path, "replace", lambda self, to: (order.append("rename"), replace(self, to))[1])
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
