"""The state on a real ext4: what its journal makes of a power cut after each system call, and a full disk."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from node.model.size import MIB
from node.model.state import State
from node.persist.store import StateNotWrittenError, StoredState, history, read_state, write_state
from node.system.files import LiveFiles
from tests.loop.conftest import run

AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
OLD = State(sections={"network": {"hostname": "old"}})
NEW = State(sections={"network": {"hostname": "new"}, "vendor": {"notes": [f"line {n}" for n in range(500)]}})


class CutCalls:
    """The system calls of the module os; after each, `cut` is told its name."""

    def __init__(self, cut: Callable[[str], None]) -> None:
        self._cut = cut

    def __getattr__(self, name: str) -> Callable[..., object]:

        def call(*arguments: object) -> object:
            given = getattr(os, name)(*arguments)
            self._cut(name)
            return given

        return call


@pytest.fixture
def config(tmp_path: Path, loop_disk: Callable[..., str]) -> Iterator[Path]:
    """A mounted CONFIG of 4 MiB; its bytes are in tmp_path/disk0.img."""
    node = loop_disk(size=4 * MIB)
    run("mkfs.ext4", "-q", "-F", "-L", "CONFIG", node)
    folder = tmp_path / "config"
    folder.mkdir()
    # As the initrd mounts it, with the journal's commits too far apart to help.
    run("mount", "-o", "rw,noatime,nodev,nosuid,noexec,commit=300", node, folder)
    yield folder
    run("umount", folder)


@contextlib.contextmanager
def after_a_cut(image: Path, folder: Path) -> Iterator[Path]:
    """Mount what was on the disk, checked like the initrd checks it."""
    folder.mkdir(exist_ok=True)
    run("e2fsck", "-p", image)
    run("mount", "-o", "loop,rw,noatime", image, folder)
    try:
        yield folder
    finally:
        run("umount", folder)


def test_a_power_cut_after_any_call_leaves_the_old_state_or_the_new(config: Path, tmp_path: Path) -> None:
    write_state(config, OLD, reason="test", at=AT)
    images: list[tuple[str, Path]] = []

    def cut(name: str) -> None:
        image = tmp_path / f"cut{len(images)}.img"
        shutil.copyfile(tmp_path / "disk0.img", image)
        images.append((name, image))

    write_state(config, NEW, reason="test", at=AT, files=LiveFiles(CutCalls(cut)))
    found = []
    for name, image in images:
        with after_a_cut(image, tmp_path / "found") as folder:
            stored = read_state(folder)
            assert stored in (StoredState(OLD), StoredState(NEW)), name
            found.append(stored == StoredState(NEW))
            # And it can be written at once.
            write_state(folder, OLD, reason="after", at=AT)
            assert read_state(folder) == StoredState(OLD)
    # Old up to some call, new from there on.
    assert found == sorted(found)
    assert found[0] is False
    assert found[-1] is True


def test_a_full_config_refuses_and_keeps_the_old_state(config: Path) -> None:
    write_state(config, OLD, reason="test", at=AT)
    filling = config / "filling"
    with filling.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(1024))
    before = sorted(path.relative_to(config) for path in config.rglob("*"))
    with pytest.raises(StateNotWrittenError, match="CONFIG is full: the configuration stays as it was"):
        write_state(config, NEW, reason="test", at=AT)
    assert read_state(config) == StoredState(OLD)
    assert sorted(path.relative_to(config) for path in config.rglob("*")) == before
    filling.unlink()
    write_state(config, NEW, reason="test", at=AT)
    assert read_state(config) == StoredState(NEW)
    assert [version.number for version in history(config)] == [2, 1]


def test_a_config_that_is_read_only_says_so(config: Path) -> None:
    write_state(config, OLD, reason="test", at=AT)
    run("mount", "-o", "remount,ro", config)
    with pytest.raises(StateNotWrittenError, match="CONFIG is read-only"):
        write_state(config, NEW, reason="test", at=AT)
    assert read_state(config) == StoredState(OLD)
