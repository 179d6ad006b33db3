"""Block devices as the kernel shows them below /sys: whole disks, their partitions, and what holds them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from node.system.mounts import Mount, read_mounts

# What is no disk of a machine, or is made of disks that are listed themselves.
_NO_DISK = re.compile(r"(?:ram|zram|dm-|md|sr|fd|mtdblock|bcache|drbd|nbd|zd)\d|mmcblk\d+(?:boot|rpmb)")
_LOOP = re.compile(r"loop\d+$")
# /sys/block/*/size counts these, whatever the disk's sectors are (Documentation/ABI/stable/sysfs-block).
_UNIT = 512


@dataclass(frozen=True)
class User:
    """Something that uses a block device now: `what` is `mount`, `swap`, `dm`, `md`, `bcache` or `holder`.

    `by` is the mount point, or the name of the device that holds it; `device` is the block device that is
    used, by its kernel name. For device-mapper `detail` is its UUID (`LVM-...`, `CRYPT-...`, `mpath-...`)
    and `label` the name that dmsetup knows.
    """

    what: str
    by: str
    device: str
    detail: str = ""
    label: str = ""

    def __str__(self) -> str:
        """Words for a user: `/mnt (sda1)`, `swap (sda2)`, `vg-root (LVM on sda3)`."""
        if self.what in ("mount", "swap"):
            return f"{self.by} ({self.device})"
        made = {"dm": _MAPPER.get(self.detail.split("-")[0].lower(), "device-mapper"), "md": "RAID"}
        return f"{self.label or self.by} ({made.get(self.what, self.what)} on {self.device})"

    @property
    def is_multipath(self) -> bool:
        """Whether it makes one disk of several paths, of which this is one (by its UUID)."""
        return self.detail.startswith("mpath-")


_MAPPER = {"lvm": "LVM", "crypt": "encryption", "mpath": "multipath", "dmraid": "firmware RAID"}


@dataclass(frozen=True)
class BlockDevices:
    """A view of /sys and /proc; other folders serve the tests."""

    sys: Path = Path("/sys")
    proc: Path = Path("/proc")

    def disks(self, *, include_loop: bool = False) -> list[str]:
        """Give the kernel names of the disks that have a size, ordered as people do (sda, sdb, sdaa).

        FileNotFoundError where the kernel shows no block devices at all, as in a container.
        """
        found = []
        if not (self.sys / "block").is_dir():
            raise FileNotFoundError(f"{self.sys / 'block'} is not there: is this a container?")
        for folder in (self.sys / "block").glob("*"):
            name = folder.name
            loop = bool(_LOOP.match(name))
            if _NO_DISK.match(name) or (loop and not include_loop) or self.attribute(name, "hidden") == "1":
                continue
            if self.size(name) > 0:
                found.append(name)
        return sorted(found, key=_natural)

    def attribute(self, name: str, path: str) -> str:
        """Give a file of a block device's folder, stripped; "" where there is none or it can't be read."""
        try:
            text = (self.sys / "class/block" / name / path).read_bytes()
        except OSError:
            return ""
        # Some drivers pad with NUL or blanks, some firmware with bytes that are no text.
        return text.decode(errors="replace").replace("\0", "").strip()

    def number(self, name: str, path: str, default: int = 0) -> int:
        """Give such a file as a number."""
        try:
            return int(self.attribute(name, path))
        except ValueError:
            return default

    def size(self, name: str) -> int:
        """Give the size in bytes."""
        return self.number(name, "size") * _UNIT

    def path(self, name: str) -> Path:
        """Give the real folder, whose path tells the bus."""
        return (self.sys / "class/block" / name).resolve()

    def partitions(self, name: str) -> dict[int, str]:
        """Give the kernel names of a disk's partitions by number, as far as the kernel has them now."""
        found = {}
        for file in (self.sys / "class/block" / name).glob("*/partition"):
            found[self.number(file.parent.name, "partition")] = file.parent.name
        return dict(sorted(found.items()))

    def holders(self, name: str) -> list[str]:
        """Give what is made of a disk or partition: dm-0, md127."""
        return sorted(f.name for f in (self.sys / "class/block" / name / "holders").glob("*"))

    def disk_of(self, name: str) -> str:
        """Give the disk of a partition; a disk is its own."""
        return self.path(name).parent.name if self.attribute(name, "partition") else name

    def disks_below(self, name: str) -> set[str]:
        """Give the whole disks that a device stands on: of a partition, an LVM volume, an array."""
        slaves = [f.name for f in (self.sys / "class/block" / name / "slaves").glob("*")]
        if not slaves:
            return {self.disk_of(name)}
        return set().union(*(self.disks_below(slave) for slave in slaves))

    def name_of(self, number: str) -> str:
        """Give the kernel name of `MAJOR:MINOR`; "" where it is no block device."""
        folder = self.sys / "dev/block" / number
        return folder.resolve().name if folder.exists() else ""

    def users(self, disk: str) -> list[User]:
        """Give everything that uses a disk, what stands on top first, as it is taken down."""
        mounts = read_mounts(self.proc / "self/mountinfo")
        swaps = self._swaps()
        seen: set[str] = set()
        found: list[User] = []

        def visit(name: str) -> None:
            if name in seen:
                return
            seen.add(name)
            for holder in self.holders(name):
                visit(holder)
                found.append(self._holder(holder, name))
            found.extend(User("mount", str(m.where), name) for m in reversed(mounts) if self._is_of(m, name))
            found.extend(User("swap", "swap", name) for swap in swaps if swap == name)

        for name in (*self.partitions(disk).values(), disk):
            visit(name)
        return list(dict.fromkeys(found))

    def _holder(self, holder: str, device: str) -> User:
        if holder.startswith("dm-"):
            detail, label = self.attribute(holder, "dm/uuid"), self.attribute(holder, "dm/name")
            return User("dm", holder, device, detail, label)
        what = next((kind for kind in ("md", "bcache") if holder.startswith(kind)), "holder")
        return User(what, holder, device)

    def _is_of(self, mount: Mount, name: str) -> bool:
        # Btrfs and others have device numbers of their own: there only the source tells.
        return mount.device == self.attribute(name, "dev") or mount.source == f"/dev/{name}"

    def _swaps(self) -> list[str]:
        try:
            lines = (self.proc / "swaps").read_text().splitlines()[1:]
        except OSError:
            return []
        return [Path(line.split()[0]).resolve().name for line in lines if line.startswith("/dev/")]


def _natural(name: str) -> tuple[str, int, list[str | int]]:
    letters = re.match(r"[a-z]*", name)
    length = len(letters[0]) if letters else 0
    # sd* count in letters: shorter names come first.
    counted = name.startswith(("sd", "vd", "hd", "xvd"))
    return (
        name[:2] if counted else name[:length],
        length if counted else 0,
        [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", name)],
    )
