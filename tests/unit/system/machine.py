"""A made-up /sys and /proc."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from node.system.block import BlockDevices

MOUNT = "{number} 1 {device} / {where} rw - {kind} {source} rw"


@dataclass
class Machine:
    root: Path

    @property
    def block(self) -> BlockDevices:
        return BlockDevices(self.root / "sys", self.root / "proc")

    def device(
        self, name: str, *, path: str = "platform/none", number: str = "", size: int = 2048, **files: str
    ) -> Path:
        """Add a disk; `files` are attributes, `__` standing for a slash."""
        folder = self.root / "sys/devices" / path / "block" / name
        self._add(
            name, folder, number or f"8:{len(list((self.root / 'sys/block').glob('*'))) * 16}", size, files
        )
        link(self.root / "sys/block" / name, folder)
        return folder

    def partition(self, disk: str, number: int, *, start: int = 2048, size: int = 2048) -> Path:
        folder = (self.root / "sys/block" / disk).resolve()
        name = f"{disk}p{number}" if disk[-1].isdigit() else f"{disk}{number}"
        major, minor = (folder / "dev").read_text().split(":")
        files = {"partition": str(number), "start": str(start)}
        self._add(name, folder / name, f"{major}:{int(minor) + number}", size, files)
        return folder / name

    def hold(self, holder: str, *devices: str) -> None:
        for device in devices:
            link(self._folder(device) / "holders" / holder, self._folder(holder))
            link(self._folder(holder) / "slaves" / device, self._folder(device))

    def mount(self, name: str, where: str, kind: str = "ext4", *, device: str = "") -> None:
        file = self.root / "proc/self/mountinfo"
        file.parent.mkdir(parents=True, exist_ok=True)
        number = device or (self._folder(name) / "dev").read_text()
        with file.open("a") as text:
            text.write(
                MOUNT.format(number=20, device=number, where=where, kind=kind, source=f"/dev/{name}") + "\n"
            )

    def swap(self, name: str) -> None:
        file = self.root / "proc/swaps"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"Filename Type Size Used Priority\n/dev/{name} partition 1 0 -2\n")

    def _folder(self, name: str) -> Path:
        return (self.root / "sys/class/block" / name).resolve()

    def _add(self, name: str, folder: Path, number: str, size: int, files: dict[str, str]) -> None:
        for path, text in {"dev": number, "size": str(size), "ro": "0", "removable": "0", **files}.items():
            file = folder / path.replace("__", "/")
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        link(self.root / "sys/class/block" / name, folder)
        link(self.root / "sys/dev/block" / number, folder)


def link(path: Path, to: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to(to)
