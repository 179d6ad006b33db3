"""Reads mounts, swap and the partitions of the node's disk, from /proc and /sys alone."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from node.model.status import PLACES, SWAP, RoleUse, Root

# Sizes in /sys/class/block are in sectors of 512 bytes, whatever the disk's own sector is.
_SECTOR = 512
_ROLES = ("ESP", "BOOT", "ROOT-A", "ROOT-B", SWAP, *PLACES)
_ESCAPE = re.compile(r"\\([0-7]{3})")


@dataclass(frozen=True)
class Mount:
    """A line of /proc/self/mountinfo."""

    where: str
    filesystem: str
    source: str
    options: tuple[str, ...]
    super_options: tuple[str, ...]

    @property
    def read_only(self) -> bool:
        """Whether nothing can be written through it."""
        return "ro" in self.options or "ro" in self.super_options


def read_mounts(root: Path) -> tuple[Mount, ...]:
    """Give the mounts, the one on top last (proc_pid_mountinfo(5)); none where they can't be read."""
    try:
        text = (root / "proc/self/mountinfo").read_text()
    except OSError:
        return ()
    found = []
    for line in text.splitlines():
        before, _, after = line.partition(" - ")
        fields, (filesystem, source, options) = before.split(), after.split(" ", 2)
        found.append(
            Mount(
                where=_unescaped(fields[4]),
                filesystem=filesystem,
                source=_unescaped(source),
                options=tuple(fields[5].split(",")),
                super_options=tuple(options.split(",")),
            )
        )
    return tuple(found)


def _unescaped(text: str) -> str:
    return _ESCAPE.sub(lambda match: chr(int(match[1], 8)), text)


def read_root(mounts: tuple[Mount, ...], root: Path) -> Root:
    """Give the root filesystem, and what lies under it where it is an overlay."""
    top = next((mount for mount in reversed(mounts) if mount.where == "/"), None)
    if top is None:
        return Root()
    # The initrd stacks it from what it mounted below /run/node; the option's own path is the initrd's.
    lower = next((mount for mount in reversed(mounts) if mount.where == "/run/node/lower"), None)
    size, used = _use(root)
    return Root(
        filesystem=top.filesystem,
        lower=lower.filesystem if lower else "",
        lower_read_only=bool(lower and lower.read_only),
        size=size,
        used=used,
    )


def read_roles(own: tuple[str, ...], mounts: tuple[Mount, ...], root: Path) -> tuple[RoleUse, ...]:
    """Give the partitions with a role on the disks that `own` device nodes belong to, in the disk's order."""
    swaps = _swaps(root)
    found: dict[str, RoleUse] = {}
    for disk in sorted({parent for node in own if (parent := _disk_of(root, node))}):
        folder = root / "sys/class/block" / disk
        partitions = [path for path in folder.iterdir() if (path / "partition").exists()]
        for path in sorted(partitions, key=lambda path: _number(path / "partition")):
            role = _partition_name(path)
            if role in _ROLES and path.name not in found:
                found[path.name] = _role(role, path, mounts, swaps, root)
    return tuple(found.values())


def _role(role: str, path: Path, mounts: tuple[Mount, ...], swaps: tuple[str, ...], root: Path) -> RoleUse:
    node = f"/dev/{path.name}"
    size = _number(path / "size") * _SECTOR
    if role == SWAP:
        return RoleUse(role, node, size, mounted_at="swap" if node in swaps else "")
    mine = [mount for mount in mounts if mount.source == node]
    # A partition may be mounted twice, as /config is by the initrd and by fstab; its own place counts first.
    mount = next((mount for mount in mine if mount.where == PLACES.get(role)), mine[0] if mine else None)
    if mount is None:
        return RoleUse(role, node, size)
    total, used = _use(root / mount.where.lstrip("/"))
    return RoleUse(role, node, total or size, used, mount.where, mount.read_only)


def _disk_of(root: Path, node: str) -> str:
    """Give the name of the disk that a partition's node belongs to, "" where it is none."""
    path = root / "sys/class/block" / Path(node).name
    return path.resolve().parent.name if (path / "partition").exists() else ""


def _partition_name(path: Path) -> str:
    try:
        lines = (path / "uevent").read_text().splitlines()
    except OSError:
        return ""
    return next((line.removeprefix("PARTNAME=") for line in lines if line.startswith("PARTNAME=")), "")


def _number(path: Path) -> int:
    try:
        return int(path.read_text())
    except (OSError, ValueError):
        return 0


def _swaps(root: Path) -> tuple[str, ...]:
    try:
        lines = (root / "proc/swaps").read_text().splitlines()[1:]
    except OSError:
        return ()
    return tuple(line.split()[0] for line in lines if line.strip())


def _use(place: Path) -> tuple[int, int]:
    """Give a filesystem's size and what is used of it, in bytes, as df(1) counts."""
    try:
        found = os.statvfs(place)
    except OSError:
        return 0, 0
    used = (found.f_blocks - found.f_bfree) * found.f_frsize
    return used + found.f_bavail * found.f_frsize, used
