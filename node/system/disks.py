"""Disks: read afresh, released, cleared, divided and formatted."""

from __future__ import annotations

import os
from pathlib import Path

from node.errors import NodeError
from node.model.inventory import Disk
from node.model.layout import DiskIdentity, Layout
from node.model.size import MIB
from node.model.system import Commands, Mounts
from node.system import libblkid
from node.system.block import BlockDevices
from node.system.device import exclusive, reread_partitions, write_at
from node.system.filesystems import make_command
from node.system.libblkid import ProbeError
from node.system.probe.boot_media import boot_devices
from node.system.probe.disks import find_disk
from node.system.probe.image import find_image
from node.system.release import release_disk
from node.system.table import replace_in_table, write_new_table
from node.system.udev import settle, wait_for_node

# GPT keeps its entries and headers within 34 sectors of 4096 bytes at either end, and RAID formats their
# superblocks within 128 KiB of the end; one MiB holds all of that.
_END = MIB
_FORMAT_S = 600.0


class LiveDisks:
    """Disks of this machine; fulfils `node.model.system.Disks`."""

    def __init__(self, commands: Commands, mounts: Mounts) -> None:
        self._commands = commands
        self._mounts = mounts

    def probe(self, node: str) -> Disk:
        """Read one disk afresh, contents included; NodeError where it is gone."""
        # While udev works, a disk's names come and go, and names are what it is told apart by.
        settle(self._commands)
        block = BlockDevices()
        image, _ = find_image()
        try:
            return find_disk(node, boot_devices=boot_devices(image, block), block=block)
        except FileNotFoundError:
            raise NodeError(
                f"{node} is gone", mend="See whether the disk is still attached, then start again"
            ) from None

    def release(self, node: str) -> None:
        """Take down what uses the disk and is not in real use: swap, stale LVM, MD, device-mapper.

        NodeError naming the user where something mounted stays.
        """
        release_disk(node, commands=self._commands, mounts=self._mounts)

    def erase_boot_code(self, disk: DiskIdentity) -> None:
        """Clear sector 0's code and table, both GPTs and any signature, and flush: clearly not bootable.

        NodeError where the disk is in use or has another size than planned.
        """
        with exclusive(disk.node, size=disk.size) as descriptor:
            write_at(descriptor, 0, bytes(disk.sector_size))
            os.fsync(descriptor)
            _wipe(descriptor, disk.node)
            head = min(_END, disk.size)
            write_at(descriptor, 0, bytes(head))
            write_at(descriptor, max(head, disk.size - _END), bytes(min(_END, disk.size - head)))
            os.fsync(descriptor)
            reread_partitions(descriptor)

    def write_table(self, layout: Layout) -> None:
        """Write a GPT with exactly these partitions, identifiers and labels, and wait for their nodes."""
        write_new_table(layout, self._commands)

    def replace_partitions(self, layout: Layout) -> None:
        """As `write_table` on a disk whose kept partitions must stay where they are, to the byte."""
        replace_in_table(layout, self._commands)

    def wipe_signatures(self, node: str) -> None:
        """Remove every filesystem and RAID signature of a partition."""
        with exclusive(node) as descriptor:
            _wipe(descriptor, node)

    def make_filesystem(self, node: str, *, kind: str, label: str, uuid: str) -> None:
        """Make vfat, ext4, xfs or swap with this label and UUID; what is on the medium then is compared."""
        wait_for_node(node)
        name = Path(node).resolve().name
        block = BlockDevices()
        sector_size = block.number(block.disk_of(name), "queue/logical_block_size", 512)
        self._commands.run(
            make_command(
                node, kind=kind, label=label, uuid=uuid, size=block.size(name), sector_size=sector_size
            ),
            timeout_s=_FORMAT_S,
        )
        with exclusive(node) as descriptor:
            found = libblkid.probe(descriptor).signatures
        if [(s.type, s.label, s.uuid.lower()) for s in found if not s.is_table] != [
            (kind, label, uuid.lower())
        ]:
            seen = ", ".join(f'{s.type} "{s.label}" {s.uuid}' for s in found) or "nothing"
            raise NodeError(f'{node} should hold {kind} "{label}" {uuid} now and holds {seen}')
        settle(self._commands)


def _wipe(descriptor: int, node: str) -> None:
    try:
        libblkid.wipe(descriptor)
    except ProbeError as error:
        raise NodeError(f"{node}: {error}") from None
    os.fsync(descriptor)
