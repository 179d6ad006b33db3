"""The command lines that make filesystems."""

from __future__ import annotations

from node.errors import NodeError

# Microsoft's FAT specification 1.03, "FAT type determination": fewer clusters are FAT16 to every reader,
# whatever the boot sector says. mkfs.vfat only warns.
_LEAST_FAT32_CLUSTERS = 65525
_FAT_OVERHEAD = 1 << 20


def make_command(
    node: str, *, kind: str, label: str, uuid: str, size: int, sector_size: int
) -> tuple[str, ...]:
    """Give the command that makes vfat, ext4, xfs or swap; NodeError for another kind.

    A vfat UUID is its serial number in the form `1234-ABCD`. Partitions of `size` bytes that are too small
    for FAT32 in sectors of `sector_size` get what mkfs.vfat thinks right.
    """
    if kind == "vfat":
        large = size - _FAT_OVERHEAD >= _LEAST_FAT32_CLUSTERS * sector_size
        width = ("-F", "32") if large else ()
        return ("mkfs.vfat", *width, "-n", label, "-i", uuid.replace("-", ""), node)
    if kind == "ext4":
        # -F: what was there is meant to go, and nobody could answer the question.
        return ("mkfs.ext4", "-q", "-F", "-m", "1", "-L", label, "-U", uuid, node)
    if kind == "xfs":
        return ("mkfs.xfs", "-q", "-f", "-L", label, "-m", f"uuid={uuid}", node)
    if kind == "swap":
        return ("mkswap", "-f", "-L", label, "-U", uuid, node)
    raise NodeError(f"'{kind}' is not a filesystem that can be made here")
