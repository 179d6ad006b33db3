"""Copying the root image onto a disk, against `dd` with fsync of the same bytes onto the same disk."""

from __future__ import annotations

import hashlib
import os
import subprocess
import tempfile
from pathlib import Path

from bench.measure import Report, Row, pairs, quietly

_SIZE = 256 * 1024 * 1024
_AIM = 1.15


def measure() -> Report:
    """Copy 256 MiB of incompressible bytes to a loop device both ways; ours also checks the SHA-256."""
    from node.system.live import LiveSystem  # noqa: PLC0415 - loads libraries that other benchmarks lack

    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
        source, disk = Path(folder, "root.squashfs"), Path(folder, "disk")
        source.write_bytes(os.urandom(_SIZE))
        sha256 = hashlib.sha256(source.read_bytes()).hexdigest()
        with disk.open("wb") as file:
            file.truncate(_SIZE * 2)
        loop = subprocess.check_output(["losetup", "--find", "--show", str(disk)], text=True).strip()
        try:
            system = LiveSystem()
            ours, other, ratio = pairs(
                lambda: system.payload.copy_image(source, loop, size=_SIZE, sha256=sha256),
                lambda: quietly(["dd", f"if={source}", f"of={loop}", "bs=4M", "conv=fsync"]),
                between=lambda: quietly(["sync"]),
            )
        finally:
            quietly(["losetup", "--detach", loop])
    mib = _SIZE / 2**20
    row = Row(
        "256 MiB, SHA-256 checked by us",
        f"{mib / ours:.0f} MiB/s",
        f"dd {mib / other:.0f} MiB/s",
        f"{ratio:.2f}x the time",
        f"{_AIM}x",
        ratio <= _AIM,
    )
    return Report(
        "Copying the root image",
        "make bench ONLY=payload",
        "Median of five pairs, run in turn, onto a loop device of this machine's disk.",
        (row,),
    )
