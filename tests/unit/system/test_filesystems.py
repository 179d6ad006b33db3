from __future__ import annotations

import pytest

from node.errors import NodeError
from node.model.size import MIB
from node.system.filesystems import make_command

UUID = "3c1d6e5a-8e37-4a43-9a52-0f8a2f6f1c11"


@pytest.mark.parametrize(
    ("kind", "size", "sector_size", "expected"),
    [
        ("vfat", 512 * MIB, 512, "mkfs.vfat -F 32 -n X -i 3C1D6E5A /dev/x1"),
        ("vfat", 512 * MIB, 4096, "mkfs.vfat -F 32 -n X -i 3C1D6E5A /dev/x1"),
        ("vfat", 128 * MIB, 4096, "mkfs.vfat -n X -i 3C1D6E5A /dev/x1"),
        ("vfat", 16 * MIB, 512, "mkfs.vfat -n X -i 3C1D6E5A /dev/x1"),
        ("ext4", MIB, 512, f"mkfs.ext4 -q -F -m 1 -L X -U {UUID} /dev/x1"),
        ("xfs", MIB, 512, f"mkfs.xfs -q -f -L X -m uuid={UUID} /dev/x1"),
        ("swap", MIB, 512, f"mkswap -f -L X -U {UUID} /dev/x1"),
    ],
)
def test_command(kind: str, size: int, sector_size: int, expected: str) -> None:
    uuid = "3C1D-6E5A" if kind == "vfat" else UUID
    assert (
        " ".join(make_command("/dev/x1", kind=kind, label="X", uuid=uuid, size=size, sector_size=sector_size))
        == expected
    )


def test_unknown_kind_is_refused() -> None:
    with pytest.raises(NodeError, match="'ntfs'"):
        make_command("/dev/x1", kind="ntfs", label="", uuid="", size=0, sector_size=512)
