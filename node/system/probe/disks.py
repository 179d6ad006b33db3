"""The machine's disks: what identifies them, what they hold, who uses them."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from node.model.inventory import Contents, Disk, Finding, Holding
from node.system import udev
from node.system.block import BlockDevices
from node.system.contents import Reading, read_contents, unreadable

log = logging.getLogger(__name__)

# A disk that has not answered by then is dying, or its path is gone; what waits for it can't be ended.
_ANSWER_S = 30.0
_READERS = 16
# Kernel names that tell the bus by themselves.
_NAMES = {
    "nvme": "nvme", "vd": "virtio", "mmcblk": "mmc", "xvd": "xen", "loop": "loop", "pmem": "pmem",
}  # fmt: skip


def find_disks(
    *, boot_devices: Iterable[str] = (), include_loop: bool = False, block: BlockDevices | None = None
) -> tuple[Disk, ...]:
    """Give every disk that a system can be installed on, contents included.

    `boot_devices` are nodes (partitions too) that the running system came from. Optical, floppy, RAM and
    stacked devices are left out, loop devices unless `include_loop`. What can't be read is unknown.
    """
    block = block or BlockDevices()
    boot = {block.disk_of(Path(node).resolve().name) for node in boot_devices if node}
    known = [
        describe_disk(name, block=block, boot_medium=name in boot)
        for name in block.disks(include_loop=include_loop)
    ]
    readings = _read_all([disk.node for disk in known])
    return tuple(_complete(disk, readings[disk.node], block) for disk in known)


def find_disk(node: str, *, boot_devices: Iterable[str] = (), block: BlockDevices | None = None) -> Disk:
    """Give one disk, read afresh; FileNotFoundError where there is none."""
    block = block or BlockDevices()
    name = Path(node).resolve().name
    if not block.attribute(name, "dev"):
        raise FileNotFoundError(node)
    boot = {block.disk_of(Path(device).resolve().name) for device in boot_devices if device}
    disk = replace(describe_disk(name, block=block, boot_medium=name in boot), node=node)
    return _complete(disk, _read_all([node])[node], block)


def describe_disk(name: str, *, block: BlockDevices, boot_medium: bool = False) -> Disk:
    """Give what identifies a disk, from udev's database and /sys, without reading the disk itself."""
    known = udev.block_properties(name)
    links = known.get("DEVLINKS", "").split()
    rotational = block.attribute(name, "queue/rotational")
    vendor = block.attribute(name, "device/vendor")
    return Disk(
        name=name,
        node=f"/dev/{name}",
        size=block.size(name),
        sector_size=block.number(name, "queue/logical_block_size", 512),
        physical_sector_size=block.number(name, "queue/physical_block_size", 512),
        model=_unescaped(known.get("ID_MODEL_ENC", "")) or block.attribute(name, "device/model"),
        vendor="" if vendor.startswith("0x") else vendor,
        serial=_serial(name, known, block),
        wwn=_wwn(name, known, block),
        by_id=_links(links, "by-id"),
        by_path=_links(links, "by-path"),
        transport=transport(name, block, known),
        rotational=rotational == "1" if rotational else None,
        removable=block.attribute(name, "removable") == "1",
        read_only=block.attribute(name, "ro") == "1",
        boot_medium=boot_medium,
    )


def transport(name: str, block: BlockDevices, known: Mapping[str, str]) -> str:
    """Tell the bus of a disk from its place below /sys/devices, the nearest to the disk deciding."""
    for prefix, word in _NAMES.items():
        if name.startswith(prefix):
            return word
    path = str(block.path(name))
    for part, word in (("/usb", "usb"), ("/end_device-", "sas"), ("/rport-", "fc"), ("/session", "iscsi")):
        if part in path:
            return word
    if "/ata" in path or known.get("ID_BUS") == "ata":
        driver = _scsi_driver(path, block)
        # ata_piix drives both kinds; only the disk itself says which it is.
        parallel = driver.startswith("pata_") or (driver == "ata_piix" and "ID_ATA_SATA" not in known)
        return "ata" if parallel else "sata"
    return "scsi" if name.startswith("sd") else known.get("ID_BUS", "")


def _scsi_driver(path: str, block: BlockDevices) -> str:
    host = next((part for part in path.split("/") if part.startswith("host") and part[4:].isdigit()), "")
    try:
        return (block.sys / "class/scsi_host" / host / "proc_name").read_text().strip() if host else ""
    except OSError:
        return ""


def _complete(disk: Disk, reading: Reading, block: BlockDevices) -> Disk:
    users = block.users(disk.name)
    contents = reading.contents
    paths = [Holding("multipath", user.label, disk.node) for user in users if user.is_multipath]
    if paths:
        contents = Contents(Finding.HOLDS, (*paths, *contents.holdings), contents.why)
    if contents.finding is Finding.UNKNOWN and (seen := _seen_by_udev(disk)):
        contents = Contents(Finding.HOLDS, seen, contents.why)
    return replace(
        disk,
        contents=contents,
        table=reading.table,
        table_uuid=reading.table_uuid,
        partitions=reading.partitions,
        users=tuple(str(user) for user in users),
    )


def _seen_by_udev(disk: Disk) -> tuple[Holding, ...]:
    """Give what udev, as root, recognized on a disk that we may not read; partitions are left to it too."""
    known = udev.block_properties(disk.name)
    found = []
    if table := known.get("ID_PART_TABLE_TYPE"):
        found.append(Holding("partition table", table, disk.node))
    if kind := known.get("ID_FS_TYPE"):
        found.append(Holding(known.get("ID_FS_USAGE", "data"), kind, disk.node))
    return tuple(found)


def _read_all(nodes: list[str]) -> dict[str, Reading]:
    """Read disks side by side; one that hangs is given up, and only that one."""
    waiting: queue.SimpleQueue[str] = queue.SimpleQueue()
    done: queue.SimpleQueue[tuple[str, Reading]] = queue.SimpleQueue()
    for node in nodes:
        waiting.put(node)

    def work() -> None:
        while True:
            try:
                node = waiting.get_nowait()
            except queue.Empty:
                return
            try:
                done.put((node, read_contents(node)))
            except Exception as error:
                log.debug("reading %s", node, exc_info=True)
                done.put((node, unreadable(f"{node}: {error}")))

    # Daemons, since a thread that waits for a dead disk must not keep the process from ending.
    for _ in range(min(_READERS, len(nodes))):
        threading.Thread(target=work, daemon=True).start()
    found: dict[str, Reading] = {}
    until = time.monotonic() + _ANSWER_S
    while len(found) < len(nodes):
        try:
            node, reading = done.get(timeout=max(0.0, until - time.monotonic()))
        except queue.Empty:
            break
        found[node] = reading
        until = time.monotonic() + _ANSWER_S
    silent = unreadable(f"it did not answer within {_ANSWER_S:g} s")
    return {node: found.get(node, silent) for node in nodes}


def _links(links: list[str], kind: str) -> tuple[str, ...]:
    prefix = f"/dev/disk/{kind}/"
    return tuple(sorted(link.removeprefix(prefix) for link in links if link.startswith(prefix)))


def _serial(name: str, known: Mapping[str, str], block: BlockDevices) -> str:
    """Give what is printed on the disk, where that is known (the order is lsblk's)."""
    for key in ("ID_SCSI_SERIAL", "SCSI_IDENT_SERIAL", "ID_SERIAL_SHORT"):
        if value := known.get(key, "").strip():
            return value
    # virtio has it beside the queue, NVMe and MMC below device, SCSI in vital product data page 0x80.
    for path in ("serial", "device/serial"):
        if value := block.attribute(name, path):
            return value
    page = _bytes(block.sys / "class/block" / name / "device/vpd_pg80")
    return page[4:].decode(errors="replace").strip("\0 ") if page else ""


def _wwn(name: str, known: Mapping[str, str], block: BlockDevices) -> str:
    if value := known.get("ID_WWN_WITH_EXTENSION") or known.get("ID_WWN"):
        return value
    for path in ("wwid", "device/wwid"):
        value = block.attribute(name, path)
        if value.startswith("naa."):
            return "0x" + value.removeprefix("naa.")
        if value.startswith(("eui.", "uuid.", "nvme.")):
            return value
    return ""


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def _unescaped(text: str) -> str:
    r"""Undo udev's \x20 in ID_MODEL_ENC."""
    parts = text.split("\\x")
    plain = parts[0]
    for part in parts[1:]:
        try:
            plain += chr(int(part[:2], 16)) + part[2:]
        except ValueError:
            plain += part
    return " ".join(plain.split())
