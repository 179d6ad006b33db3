"""Which disks the running system comes from: they are never written."""

from __future__ import annotations

import os
from pathlib import Path

from node.model.inventory import BootImage
from node.system.block import BlockDevices

# Where this and other live systems keep the medium mounted: ours, live-boot's, dracut's, archiso's.
_PLACES = (
    "/", "/usr", "/boot", "/run/node/medium", "/run/node/lower", "/run/live/medium", "/lib/live/mount/medium",
    "/run/initramfs/live", "/run/archiso/bootmnt", "/cdrom",
)  # fmt: skip


def boot_devices(image: BootImage, block: BlockDevices, root: Path = Path("/")) -> tuple[str, ...]:
    """Give the nodes of the whole disks below the running system's image, medium and root."""
    names: set[str] = set()
    # `path` is a partition's node where a slot is booted, else a file that a medium or a tmpfs has.
    for node in (image.device, image.path if image.path.startswith("/dev/") else ""):
        if node:
            names |= block.disks_below(Path(node).resolve().name)
    for place in _PLACES:
        try:
            number = (root / place.removeprefix("/")).stat().st_dev
        except OSError:
            continue
        if name := block.name_of(f"{os.major(number)}:{os.minor(number)}"):
            names |= block.disks_below(name)
    return tuple(f"/dev/{name}" for name in sorted(names))
