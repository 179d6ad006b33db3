"""The image's way onto a device: complete, checked, past the page cache."""

from __future__ import annotations

import hashlib
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from node.errors import NodeError
from node.model.size import MIB
from node.system.live import LiveSystem
from node.system.payload import CHUNK

SIZES = [1, 4095, 4096, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK + 12345, 20 * MIB + 512]


def image_of(folder: Path, size: int) -> tuple[Path, str]:
    path = folder / "image"
    # A stretch of zeroes in the middle, which must be written too.
    data = os.urandom(size // 3) + bytes(size // 3)
    data += os.urandom(size - len(data))
    path.write_bytes(data)
    return path, hashlib.sha256(data).hexdigest()


@pytest.mark.parametrize("sector_size", [512, 4096])
@pytest.mark.parametrize("size", SIZES)
def test_image_arrives_whole(
    loop_disk: Callable[..., str], system: LiveSystem, tmp_path: Path, size: int, sector_size: int
) -> None:
    node = loop_disk(size=40 * MIB, sector_size=sector_size)
    with system.open_device(node) as device:
        device.write(b"\xff" * (40 * MIB))
    path, digest = image_of(tmp_path, size)
    system.payload.copy_image(path, node, size=size, sha256=digest)
    with Path(node).open("rb") as device:
        assert device.read(size) == path.read_bytes()
    system.payload.verify_image(node, size=size, sha256=digest)


def test_image_comes_from_a_longer_device(
    loop_disk: Callable[..., str], system: LiveSystem, tmp_path: Path
) -> None:
    size = 5 * MIB + 4096
    path, digest = image_of(tmp_path, size)
    source, target = loop_disk(size=30 * MIB), loop_disk(size=8 * MIB)
    system.payload.copy_image(path, source, size=size, sha256=digest)
    system.payload.copy_image(Path(source), target, size=size, sha256=digest)
    system.payload.verify_image(target, size=size, sha256=digest)


def test_short_image_is_refused_with_what_is_missing(
    loop_disk: Callable[..., str], system: LiveSystem, tmp_path: Path
) -> None:
    path, digest = image_of(tmp_path, 6 * MIB)
    with pytest.raises(NodeError, match=f"ends at byte {6 * MIB}, {MIB + 7} bytes before"):
        system.payload.copy_image(path, loop_disk(size=40 * MIB), size=7 * MIB + 7, sha256=digest)


def test_other_image_is_refused(loop_disk: Callable[..., str], system: LiveSystem, tmp_path: Path) -> None:
    path, digest = image_of(tmp_path, 6 * MIB)
    with path.open("r+b") as file:
        file.seek(3 * MIB)
        file.write(b"!")
    with pytest.raises(NodeError, match=f"not {digest}"):
        system.payload.copy_image(path, loop_disk(size=40 * MIB), size=6 * MIB, sha256=digest)


def test_too_small_a_target_is_refused(
    loop_disk: Callable[..., str], system: LiveSystem, tmp_path: Path
) -> None:
    path, digest = image_of(tmp_path, 6 * MIB)
    with pytest.raises(NodeError, match=f"too small for the image by {MIB} bytes"):
        system.payload.copy_image(path, loop_disk(size=5 * MIB), size=6 * MIB, sha256=digest)


def test_verifying_sees_a_changed_medium(
    loop_disk: Callable[..., str], system: LiveSystem, tmp_path: Path
) -> None:
    medium = tmp_path / "medium.img"
    node = loop_disk(size=40 * MIB, image=_sized(medium, 40 * MIB))
    path, digest = image_of(tmp_path, 20 * MIB)
    system.payload.copy_image(path, node, size=20 * MIB, sha256=digest)
    Path(node).read_bytes()  # the page cache knows the right bytes
    with medium.open("r+b") as file:
        file.seek(19 * MIB)
        file.write(b"!")
    with pytest.raises(NodeError, match="is not what it should be"):
        system.payload.verify_image(node, size=20 * MIB, sha256=digest)


def test_progress_reaches_the_end_and_never_goes_back(loop_disk: Callable[..., str], tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    system = LiveSystem(progress=lambda done, total: told.append((done, total)))
    path, digest = image_of(tmp_path, 20 * MIB)
    system.payload.copy_image(path, loop_disk(size=40 * MIB), size=20 * MIB, sha256=digest)
    assert told[-1] == (20 * MIB, 20 * MIB)
    assert told == sorted(told)


def test_target_in_use_is_refused(loop_disk: Callable[..., str], system: LiveSystem, tmp_path: Path) -> None:
    node = loop_disk(size=40 * MIB)
    subprocess.run(["mkfs.ext4", "-q", node], check=True)
    system.mounts.mount(node, tmp_path / "there")
    path, digest = image_of(tmp_path, MIB)
    with pytest.raises(NodeError, match="there"):
        system.payload.copy_image(path, node, size=MIB, sha256=digest)


def _sized(path: Path, size: int) -> Path:
    path.touch()
    os.truncate(path, size)
    return path
