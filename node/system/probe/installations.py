"""Finished and half-finished installations of ours that are found on the disks."""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from node.errors import NodeError
from node.model.inventory import Disk, Installation, Partition, Unknown
from node.model.layout import TYPE_UUIDS, Role
from node.model.system import Commands
from node.system.block import BlockDevices
from node.system.mounts import LiveMounts, read_mounts

_SLOT = "a"
_BOOT_FILES = ("vmlinuz", "initrd", "cmdline")
# `noload` leaves the journal alone: what only looks must not write.
_READ_ONLY = {"ext4": ("ro", "noload"), "xfs": ("ro", "norecovery")}


def find_installations(
    disks: tuple[Disk, ...], *, commands: Commands, block: BlockDevices | None = None
) -> tuple[tuple[Installation, ...], tuple[Unknown, ...]]:
    """Give an installation for each disk that has a CONFIG partition of ours; nothing is written.

    Reading it takes root, and the partition where it is not mounted yet; else it is unknown why.
    """
    block = block or BlockDevices()
    found: list[Installation] = []
    unknown: list[Unknown] = []
    for disk in disks:
        config = _partition(disk, Role.CONFIG)
        if config is None:
            continue
        try:
            found.append(_read(disk, config, commands, block))
        except (OSError, ValueError, NodeError) as error:
            words = error.brief if isinstance(error, NodeError) else str(error)
            unknown.append(Unknown(f"installations.{disk.name}", words))
    return tuple(found), tuple(unknown)


def _partition(disk: Disk, role: Role) -> Partition | None:
    return next(
        (
            partition
            for partition in disk.partitions
            if partition.label == role.value and partition.type_uuid == str(TYPE_UUIDS[role])
        ),
        None,
    )


def _read(disk: Disk, config: Partition, commands: Commands, block: BlockDevices) -> Installation:
    with _looking_into(config, commands, block) as folder:
        record = _json(folder / "installs.json")
        hostname = _hostname(folder / "node.yaml")
    installs, earlier = _entries(record, "installs"), _entries(record, "earlier")
    last = installs[-1] if installs else {}
    boot = _partition(disk, Role.BOOT)
    # A disk without roots belongs to a node that boots over the network, and needs no boot area.
    ready = not any(_partition(disk, role) for role in (Role.ROOT_A, Role.ROOT_B))
    if last and boot is not None and not ready:
        # A boot area that can't be mounted is damaged; what CONFIG says of the installation is known.
        with contextlib.suppress(ValueError, NodeError), _looking_into(boot, commands, block) as folder:
            ready = all(_has_bytes(folder / str(last.get("slot") or _SLOT) / name) for name in _BOOT_FILES)
    image = last.get("image")
    version = last.get("image_version") or (image.get("version") if isinstance(image, dict) else "")
    # What was set aside for a new installation that never came to its end is a damaged one, not none: what
    # it kept is still there.
    known = last or (earlier[-1] if earlier else {})
    return Installation(
        disk=disk.node,
        install_id=str(known.get("id") or ""),
        done=tuple(str(entry["reinstall"]) for entry in (*earlier, *installs) if entry.get("reinstall")),
        image_version=str(version or ""),
        slot=str(last.get("slot") or _SLOT),
        complete=bool(last) and ready,
        hostname=hostname,
    )


@contextlib.contextmanager
def _looking_into(partition: Partition, commands: Commands, block: BlockDevices) -> Iterator[Path]:
    """Give a folder with a partition's files: where it is mounted now, else mounted for that long."""
    name = partition.node.removeprefix("/dev/")
    number = block.attribute(name, "dev")
    mounted = next((mount.where for mount in read_mounts() if number and mount.device == number), None)
    if mounted is not None:
        yield mounted
        return
    if os.geteuid() != 0:
        raise PermissionError(f"{partition.node} is not mounted, and only root can mount it")
    options = _READ_ONLY.get(partition.filesystem)
    if options is None:
        raise ValueError(f"{partition.node} holds no filesystem of ours but '{partition.filesystem}'")
    mounts = LiveMounts(commands)
    # Removed by rmdir alone: what empties a folder must never be let loose on a mounted disk.
    folder = Path(tempfile.mkdtemp(prefix="node-look-"))
    try:
        safe = (*options, "nosuid", "nodev", "noexec")
        mounts.mount(partition.node, folder, kind=partition.filesystem, options=safe)
        try:
            yield folder
        finally:
            mounts.unmount(folder)
    finally:
        with contextlib.suppress(OSError):
            folder.rmdir()


def _json(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text())
    except FileNotFoundError:
        return {}
    return found if isinstance(found, dict) else {}


def _entries(record: dict[str, Any], key: str) -> list[dict[str, Any]]:
    found = record.get(key)
    return [entry for entry in found if isinstance(entry, dict)] if isinstance(found, list) else []


def _hostname(path: Path) -> str:
    import yaml  # noqa: PLC0415 - takes time, and few machines have such a file

    try:
        found = yaml.safe_load(path.read_text())
        return str(found["sections"]["network"]["hostname"] or "")
    except (OSError, KeyError, TypeError, ValueError, yaml.YAMLError):
        return ""


def _has_bytes(path: Path) -> bool:
    try:
        return path.stat().st_size > 0
    except OSError:
        return False
