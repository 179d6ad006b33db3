"""Time and memory to switch-root over HTTP: our initrd against dracut's livenet, same kernel and image."""

from __future__ import annotations

import shutil
import statistics
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from bench.images import build
from bench.measure import Report, Row, quietly
from node.testing.vm import ContentServer, Machine, MachineSpec, Nic, UserNetwork, choose_accel

_MEMORY_MIB = 1536  # dracut's way holds the image and its copies in memory; ours does with half of it
_RUNS = 3
_LIMIT_S = 400
# The last unit of every systemd initrd.
_SWITCH_ROOT = "initrd-switch-root.service"


@dataclass(frozen=True)
class _Figures:
    seconds: float
    memory_mib: float


def measure() -> Report:
    """Boot both three times in turn, as far as switch-root."""
    image = build("kickstarts/node.ks", Path("build/bench/node"))
    with tempfile.TemporaryDirectory(dir="/var/tmp", prefix="nodecrust-bench-") as name:
        folder = Path(name)
        theirs = _livenet_initrd(folder)
        sha256 = subprocess.check_output(["sha256sum", image / "root.squashfs"], text=True).split()[0]
        with ContentServer(image, log=folder / "serve.log") as server:
            url = f"{server.url}/root.squashfs"
            arguments = {
                "ours": f"node.image={url} node.image.sha256={sha256} rd.systemd.gpt_auto=0",
                "theirs": f"root=live:{url} ip=dhcp rd.live.image rd.live.overlay.overlayfs=1",
            }
            initrds = {"ours": image / "initrd", "theirs": theirs}
            found: dict[str, list[_Figures]] = {"ours": [], "theirs": []}
            for run in range(_RUNS):
                for who, words in arguments.items():
                    where = folder / f"{who}-{run}"
                    found[who].append(_boot(where, image / "vmlinuz", initrds[who], words))
        sizes = {who: path.stat().st_size / 1e6 for who, path in initrds.items()}
    ours, other = (
        _Figures(
            statistics.median(f.seconds for f in figures), statistics.median(f.memory_mib for f in figures)
        )
        for figures in found.values()
    )
    rows = (
        _row("QEMU's start to switch-root", ours.seconds, other.seconds, "s"),
        _row("memory that QEMU used by then", ours.memory_mib, other.memory_mib, "MiB"),
        _row("initrd", sizes["ours"], sizes["theirs"], "MB"),
    )
    note = (
        f"Median of {_RUNS} boots each, in turn, {_MEMORY_MIB} MiB, one processor, virtio-net. Ours checks"
        " the image's SHA-256; dracut's livenet checks nothing."
    )
    return Report("Over HTTP to switch-root", "make bench ONLY=boot", note, rows)


def _row(what: str, ours: float, other: float, unit: str) -> Row:
    ratio = ours / other
    return Row(what, f"{ours:.0f} {unit}", f"livenet {other:.0f} {unit}", f"{ratio:.2f}x", "1x", ratio <= 1)


def _livenet_initrd(folder: Path) -> Path:
    """Have the builder make dracut's initrd, and take it out of the image."""
    image = folder / "livenet"
    build("bench/livenet.ks", image)
    quietly(
        [
            "unsquashfs",
            "-quiet",
            "-no-xattrs",
            "-dest",
            str(folder / "tree"),
            str(image / "root.squashfs"),
            "usr/lib/bench/initrd",
        ]
    )
    shutil.rmtree(image)
    return folder / "tree/usr/lib/bench/initrd"


def _boot(folder: Path, kernel: Path, initrd: Path, arguments: str) -> _Figures:
    spec = MachineSpec(
        boot=(),
        memory_mib=_MEMORY_MIB,
        nics=(Nic(network=UserNetwork(ssh=False)),),
        extra_arguments=(
            *("-kernel", str(kernel.absolute()), "-initrd", str(initrd.absolute())),
            *("-append", f"console=ttyS0 {arguments}"),
        ),
    )
    machine = Machine(spec, folder, accel=choose_accel(kernel, cache=folder), name=folder.name)
    start = time.perf_counter()
    with machine:
        machine.expect(_SWITCH_ROOT, timeout_s=_LIMIT_S)
        seconds = time.perf_counter() - start
        return _Figures(seconds, machine.memory_used_mib())
