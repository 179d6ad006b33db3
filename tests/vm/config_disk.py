"""CONFIG of a machine's disk, looked into on the host: as it is, and as a power cut could leave it (root)."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Generic, TypeVar

from node.model.layout import TYPE_UUIDS, Role
from node.testing.vm.write_log import Epoch, apply, read_epochs, reordered

MIB = 1024**2
Read = TypeVar("Read")


@dataclass(frozen=True)
class Config:
    """CONFIG as a file of its own, and where it begins on its disk, in bytes."""

    file: Path
    start: int

    def epochs(self, log: Path) -> tuple[Epoch, ...]:
        """What a log of the disk's writes did to it."""
        return read_epochs(log, start=self.start, size=self.file.stat().st_size)


@dataclass(frozen=True)
class Cut(Generic[Read]):
    """What was read before some writes, in the midst of them and after them."""

    before: Read
    amid: tuple[Read, ...]
    after: Read


def copy_config(disk: Path, folder: Path) -> Config:
    """Copy CONFIG out of a qcow2 disk that nobody uses."""
    whole, config = folder / "whole.raw", folder / "config.raw"
    _run("qemu-img", "convert", "-O", "raw", disk, whole)
    table = json.loads(_run("sfdisk", "--json", whole))["partitiontable"]
    found = next(each for each in table["partitions"] if each.get("name") == "CONFIG")
    start, size = (found[key] * table["sectorsize"] for key in ("start", "size"))
    blocks = (f"skip={start // MIB}", f"count={size // MIB}", "bs=1M", "conv=sparse")
    _run("dd", f"if={whole}", f"of={config}", *blocks)
    whole.unlink()
    return Config(config, start)


def cuts_of(
    config: Config, log: Path, read: Callable[[Path], Read], *, seeds: int = 1
) -> Iterator[Cut[Read]]:
    """Play the log's epochs on `config`, one after the other, and `read` a mounted copy at each cut.

    At a flush the kernel mounts it as it is, journal and all; in the midst of an epoch, of whose writes
    `seeds` parts are tried, e2fsck comes first, as in the node's initrd.
    """
    with looking_into(config.file) as folder:
        before = read(folder)
    for number, epoch in enumerate(config.epochs(log)):
        amid = []
        for seed in range(seeds):
            part = reordered(epoch, seed=number * seeds + seed)
            with looking_into(config.file, also=partial(_mend, part=part, log=log)) as folder:
                amid.append(read(folder))
        apply(epoch, log=log, disk=config.file)
        with looking_into(config.file) as folder:
            after = read(folder)
        yield Cut(before, tuple(amid), after)
        before = after


def make_other_config(folder: Path) -> Path:
    """Make a qcow2 disk with nothing but a CONFIG of its own, as one that was another node's."""
    raw, disk, part = (folder / f"other.{suffix}" for suffix in ("raw", "qcow2", "ext4"))
    size = 16 * MIB
    for file, length in ((raw, size + 3 * MIB), (part, size)):
        file.touch()
        os.truncate(file, length)
    lines = f"label: gpt\nstart=1MiB, size={size // MIB}MiB, type={TYPE_UUIDS[Role.CONFIG]}, name=CONFIG\n"
    _run("sfdisk", "--quiet", raw, typed=lines)
    _run("mkfs.ext4", "-q", "-F", part)
    _run("dd", f"if={part}", f"of={raw}", "bs=1M", "seek=1", "conv=notrunc,sparse")
    _run("qemu-img", "convert", "-O", "qcow2", raw, disk)
    raw.unlink()
    part.unlink()
    return disk


@contextmanager
def looking_into(file: Path, *, also: Callable[[Path], None] = lambda copy: None) -> Iterator[Path]:
    """Mount a copy of a filesystem, after doing what is asked for `also` to the copy."""
    copy, where = file.with_suffix(".copy"), file.with_suffix(".mounted")
    _run("cp", "--sparse=always", file, copy)
    also(copy)
    where.mkdir(exist_ok=True)
    # As the tests of tests/loop: one at a time, since an inventory looks into all loop devices.
    with Path("/run/nodecrust-loop-tests.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        _run("mount", "-t", "ext4", "-o", "loop,nodev,nosuid,noexec", copy, where)
        try:
            yield where
        finally:
            _run("umount", where)
    copy.unlink()


def _mend(copy: Path, *, part: Epoch, log: Path) -> None:
    apply(part, log=log, disk=copy)
    done = subprocess.run(["e2fsck", "-p", str(copy)], capture_output=True, text=True, check=False)
    # Bit 4: errors that are left to a person.
    assert done.returncode < 4, done.stdout + done.stderr


def _run(*argv: object, typed: str = "") -> str:
    words = [str(word) for word in argv]
    done = subprocess.run(words, input=typed, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(words)}: {done.stdout}{done.stderr}"
    return done.stdout
