"""A file on the boot medium, or on the FAT partition of the same stick, where any computer can put one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

from node.errors import CommandFailedError, InputError
from node.model.system import Commands

MEDIUM = Path("/run/node/medium")
IMAGE_FACTS = Path("/run/node/image.json")
SYS_BLOCK = Path("/sys/class/block")


def read_from_medium(
    path: str,
    commands: Commands,
    *,
    medium: Path = MEDIUM,
    image_facts: Path = IMAGE_FACTS,
    sys_block: Path = SYS_BLOCK,
) -> tuple[bytes, str]:
    """Give a file's contents and the name that messages call it; InputError where it is on neither part.

    `path` is absolute within the medium. The FAT partition is mounted read-only for the moment.
    """
    inner = PurePosixPath(path).relative_to("/")
    try:
        return (medium / inner).read_bytes(), f"{inner} on the boot medium"
    except OSError:
        pass
    looked = []
    for node in _partitions(image_facts, sys_block):
        looked.append(node)
        contents = _from_fat(node, inner, commands)
        if contents is not None:
            return contents, f"{inner} on {node} of the boot medium"
    also = f", nor on {', '.join(looked)}" if looked else ""
    raise InputError(
        f"{inner} is not on the boot medium{also}",
        mend=f"Put it there: the FAT partition of the stick takes it as {inner}",
    )


def _partitions(image_facts: Path, sys_block: Path) -> Iterator[str]:
    """Give the device nodes of the partitions beside the one that we booted from."""
    try:
        device = json.loads(image_facts.read_text()).get("device") or ""
    except (OSError, ValueError, AttributeError):
        return
    if not device:
        return
    entry = (sys_block / Path(device).name).resolve()
    disk = entry.parent if (entry / "partition").exists() else entry
    for part in sorted(disk.glob("*/partition")):
        yield f"/dev/{part.parent.name}"


def _from_fat(node: str, inner: PurePosixPath, commands: Commands) -> bytes | None:
    with TemporaryDirectory(prefix="node-medium-") as folder:
        # A stick that is mounted as a whole holds its partitions too; a loop device looks past that.
        for options in ("ro", "ro,loop"):
            try:
                commands.run(["mount", "-t", "vfat", "-o", options, node, folder], timeout_s=30.0)
            except CommandFailedError:
                continue
            try:
                return (Path(folder) / inner).read_bytes()
            except OSError:
                return None
            finally:
                commands.run(["umount", folder], timeout_s=30.0)
    return None
