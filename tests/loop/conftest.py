"""Real disks on loop devices. Without root or loop devices these tests are skipped, with the reason."""

from __future__ import annotations

import fcntl
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from node.model.size import MIB
from node.system.live import LiveSystem


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    why = "needs root" if os.geteuid() != 0 else ""
    if not why and not Path("/dev/loop-control").exists():
        why = "needs loop devices"
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.loop)
            if why:
                item.add_marker(pytest.mark.skip(reason=why))


def run(*argv: object) -> str:
    words = [str(word) for word in argv]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(words)}: {done.stdout}{done.stderr}"
    return done.stdout


@pytest.fixture(autouse=True)
def alone() -> Iterator[None]:
    """One test with loop devices at a time on this machine, since an inventory looks into all of them."""
    if os.geteuid() != 0:
        yield
        return
    with Path("/run/nodecrust-loop-tests.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@pytest.fixture
def loop_disk(tmp_path: Path, alone: None) -> Iterator[Callable[..., str]]:
    """A function that makes a disk: `loop_disk(size=..., sector_size=...)` gives its node."""
    made: list[str] = []

    def make(*, size: int = 600 * MIB, sector_size: int = 512, image: Path | None = None) -> str:
        file = image or tmp_path / f"disk{len(made)}.img"
        if not file.exists():
            file.touch()
            os.truncate(file, size)
        node = run("losetup", "--find", "--show", "--partscan", "--sector-size", sector_size, file).strip()
        made.append(node)
        return node

    yield make
    for node in made:
        for line in reversed(Path("/proc/self/mountinfo").read_text().splitlines()):
            words = line.split()
            if words[words.index("-") + 2].startswith(node):
                subprocess.run(["umount", words[4]], check=False)
        subprocess.run(["partx", "--delete", node], check=False, capture_output=True)
        subprocess.run(["losetup", "--detach", node], check=False)


@pytest.fixture
def system(tmp_path: Path) -> LiveSystem:
    return LiveSystem(root=tmp_path / "target")
