"""A node's installation on a loop device: the real system, a small image, and eyes that look at the disk."""

from __future__ import annotations

import contextlib
import ctypes
import hashlib
import json
import os
import signal
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from uuid import UUID

from node.hookspecs import Target
from node.installer.engine import run_plan
from node.installer.journal import read_journal
from node.model.answers import Answers, SectionModel
from node.model.inventory import BootImage, Disk, Firmware, Inventory
from node.model.layout import Role, partition_node
from node.model.plan import Plan
from node.model.step import PHASES, PlannedStep
from node.plugin_manager import Plugins
from node.plugins.storage import StorageAnswers
from node.system.boot import LiveBoot
from node.system.files import LiveFiles
from node.system.live import LiveSystem
from node.system.mounts import LiveMounts

SERIAL = "LOOP-1"
_CLONE_NEWNS = 0x00020000  # sched.h
STARTED = "2026-01-02T03:04:05+00:00"


def tool(*argv: str | Path, check: bool = True) -> str:
    """Give what a program prints."""
    words = [str(word) for word in argv]
    return subprocess.run(words, check=check, capture_output=True, text=True).stdout


def own_mounts() -> None:
    """Give this process a mount namespace of its own, without other people's loop devices.

    A program that makes a namespace meanwhile (an image build, say) would otherwise carry our mounts off in
    it, and the disk would stay in use after its last unmount.
    """
    if ctypes.CDLL(None, use_errno=True).unshare(_CLONE_NEWNS):
        raise OSError(ctypes.get_errno(), "no mount namespace of our own")
    tool("mount", "--make-rprivate", "/")
    for line in reversed(Path("/proc/self/mountinfo").read_text().splitlines()):
        if line.partition(" - ")[2].split()[1].startswith("/dev/loop"):
            tool("umount", "--lazy", line.split()[4], check=False)


def kernel_has(filesystem: str) -> bool:
    """Tell whether this kernel can mount it; some machines that run tests lack vfat."""
    return filesystem in Path("/proc/filesystems").read_text().split()


class MtoolsMounts(LiveMounts):
    """Mounts vfat by way of a tmpfs that mtools fill and write back, where the kernel can't."""

    def mount(self, node: str, where: Path, *, kind: str = "", options: Sequence[str] = ()) -> None:
        if kind != "vfat":
            super().mount(node, where, kind=kind, options=options)
            return
        where.mkdir(parents=True, exist_ok=True)
        tool("mount", "-t", "tmpfs", node, where)
        copy_out(node, where)


class MtoolsFiles(LiveFiles):
    """Writes through to a vfat that MtoolsMounts mounted: a cut finds on the disk what was flushed."""

    def __init__(self, esp: Path) -> None:
        super().__init__()
        self._esp = esp

    def write(self, path: Path, contents: bytes, *, mode: int = 0o644) -> None:
        super().write(path, contents, mode=mode)
        self._write_back(path)

    def copy(self, source: Path, target: Path, *, mode: int = 0o644) -> None:
        super().copy(source, target, mode=mode)
        self._write_back(target)

    def remove(self, path: Path) -> None:
        super().remove(path)
        self._write_back(path)

    def _write_back(self, path: Path) -> None:
        if self._esp in path.parents:
            node = tool("findmnt", "--noheadings", "--output", "SOURCE", self._esp).strip()
            tool("mdeltree", "-i", node, "::EFI", check=False)
            tool("mcopy", "-i", node, "-s", "-Q", *self._esp.iterdir(), "::/")


def copy_out(node: str, where: Path) -> None:
    """Copy all of a vfat to a folder; an empty or a cleared one gives nothing."""
    tool("mcopy", "-i", node, "-s", "-n", "::*", where, check=False)


class LoopSystem(LiveSystem):
    """The live system, but for two things: loop devices get a serial, and the firmware is left alone."""

    def __init__(self, progress: Any, say: Any, *, root: Path, no_variables: Path) -> None:
        super().__init__(progress, say, root=root)
        if not kernel_has("vfat"):
            self.mounts = MtoolsMounts(self.commands)
            self.files = MtoolsFiles(root / "esp")
        probe = self.disks.probe
        self.disks.probe = lambda node: replace(probe(node), serial=SERIAL)  # type: ignore[method-assign]
        self.boot = LiveBoot(self.commands, efivars=no_variables)


@dataclass
class BenchNode:
    """One disk, one image, and where everything of the run goes."""

    node: str
    folder: Path
    firmware: str = "bios"
    image: Path = Path()
    image_bytes: bytes = b""
    events: list[Any] = field(default_factory=list)

    @property
    def root(self) -> Path:
        return self.folder / "target"

    @property
    def journal(self) -> Path:
        return self.folder / "journal.jsonl"

    def system(self, progress: Any, say: Any) -> LoopSystem:
        return LoopSystem(progress, say, root=self.root, no_variables=self.folder / "no-variables")

    def disk(self) -> Disk:
        return self.system(None, None).disks.probe(self.node)

    def inventory(self) -> Inventory:
        return Inventory(
            memory=1 << 30,
            firmware=Firmware(kind=self.firmware),
            disks=(self.disk(),),
            consoles=("tty0", "ttyS0,115200"),
            image=BootImage(
                source="url",
                path=str(self.image),
                size=len(self.image_bytes),
                sha256=hashlib.sha256(self.image_bytes).hexdigest(),
                version="1.0",
                kernel_size=1 << 20,
                initrd_size=1 << 20,
            ),
        )

    def plan(self, *sections: SectionModel, install: int = 1) -> Plan:
        """Give the plan as the planner makes it, without its questions about network and access."""
        plugins = Plugins()
        plugins.load()
        given = {section.key: section for section in sections}
        given.setdefault("storage", StorageAnswers(consent=(SERIAL,)))
        answers, inventory = Answers(given), self.inventory()
        install_id = str(UUID(int=install))
        asked: dict[str, Any] = {"answers": answers, "inventory": inventory}
        proposal = next(iter(plugins.call("node_disk_layout", install_id=install_id, **asked))).value
        assert proposal.problems == ()
        args = [word for answer in plugins.call("node_kernel_args", **asked) for word in answer.value]
        target = Target(proposal.layout, install_id, STARTED, tuple(args))
        steps: list[PlannedStep] = []
        for answer in plugins.call("node_plan", target=target, **asked):
            steps += answer.value
        assert plugins.problems == []
        ordered = sorted(steps, key=lambda planned: PHASES.index(planned.phase))
        return Plan(UUID(install_id), proposal.layout, tuple(ordered))

    def install(self, plan: Plan, observers: Sequence[Any] = ()) -> None:
        run_plan(
            plan,
            system_factory=self.system,  # type: ignore[arg-type]
            observers=[self.events.append, *observers],
            journal=self.journal,
        )

    def install_until_killed(self, plan: Plan, *, kind: str, number: int) -> None:
        """Run the engine in a process that is killed at an event, as by a power cut; clean up its mounts."""
        pid = os.fork()
        if pid == 0:
            try:
                self.install(plan, [lambda e: e.kind == kind and e.number == number and _die()])
            finally:
                os._exit(9)
        _, status = os.waitpid(pid, 0)
        assert os.WIFSIGNALED(status), "the run ended before it could be killed"
        self.unmount()

    def unmount(self) -> None:
        for line in reversed(Path("/proc/self/mountinfo").read_text().splitlines()):
            where = line.split()[4]
            if where.startswith(str(self.root)):
                tool("umount", where)

    def mounted(self) -> list[str]:
        lines = Path("/proc/self/mountinfo").read_text().splitlines()
        return [line for line in lines if self.node in line or str(self.root) in line]

    def partition(self, plan: Plan, role: Role) -> str:
        assert plan.layout
        found = plan.layout.get(role)
        assert found
        return partition_node(self.node, found.number)

    @contextlib.contextmanager
    def looking_into(self, node: str) -> Iterator[Path]:
        where = self.folder / "look"
        where.mkdir(exist_ok=True)
        if not kernel_has("vfat") and "vfat" in tool("blkid", "-p", node, check=False):
            tool("mount", "-t", "tmpfs", node, where)
            copy_out(node, where)
        else:
            tool("mount", "-o", "ro", node, where)
        try:
            yield where
        finally:
            tool("umount", where)

    def boot_code(self) -> bytes:
        return self.read(0, 440)

    def read(self, start: int, size: int) -> bytes:
        with Path(self.node).open("rb") as device:
            os.posix_fadvise(device.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
            device.seek(start)
            return device.read(size)

    def records(self) -> list[dict[str, Any]]:
        return read_journal(self.journal)

    def table(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads(tool("sfdisk", "--json", self.node))["partitiontable"][
            "partitions"
        ]
        return found


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)
