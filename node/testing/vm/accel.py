"""Whether KVM really runs a kernel here.

/dev/kvm being there proves little: nested and paravirtual hosts have one that starts the firmware, and then a
kernel of a distribution hangs or QEMU aborts. So the kernel that is going to run is started for a moment.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import time
from enum import StrEnum
from pathlib import Path

#: KVM boots a kernel to its panic (no root) in about a second, TCG in about five.
PROBE_LIMIT_S = 10.0


class Accel(StrEnum):
    """How the guest's code is run."""

    KVM = "kvm"
    TCG = "tcg"


def choose_accel(kernel: Path, *, cache: Path | None = None) -> Accel:
    """KVM if it boots ``kernel`` as far as looking for a root, else TCG.

    With ``cache``, a folder, the answer is remembered until the next boot of this machine.
    """
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        return Accel.TCG
    note = cache / f"accel-{_situation(kernel)}" if cache else None
    if note and note.exists():
        return Accel(note.read_text().strip())
    accel = Accel.KVM if kvm_boots(kernel) else Accel.TCG
    if note:
        note.parent.mkdir(parents=True, exist_ok=True)
        note.write_text(f"{accel}\n")
    return accel


def kvm_boots(kernel: Path, *, limit_s: float = PROBE_LIMIT_S) -> bool:
    """Start ``kernel`` under KVM without a root and wait for its panic."""
    argv = (
        "qemu-system-x86_64",
        "-machine",
        "pc",
        "-accel",
        "kvm",
        "-cpu",
        "host",
        "-m",
        "256",
        "-nodefaults",
        "-display",
        "none",
        "-serial",
        "stdio",
        "-no-reboot",
        "-kernel",
        str(kernel),
        "-append",
        "console=ttyS0 panic=-1",
    )
    started = time.monotonic()
    try:
        probe = subprocess.run(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=limit_s,
            check=False,
        )
    except (subprocess.TimeoutExpired, OSError):
        return False
    return b"Kernel panic" in probe.stdout and time.monotonic() - started < limit_s


def _situation(kernel: Path) -> str:
    boot = Path("/proc/sys/kernel/random/boot_id").read_bytes()
    stat = kernel.stat()
    told = boot + f"{kernel.resolve()} {stat.st_size} {stat.st_mtime_ns}".encode()
    return hashlib.sha256(told).hexdigest()[:16]
