"""Reads whether this machine can host guests, and asks libvirt how it is, with a time limit."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from node.errors import CommandFailedError
from node.model.inventory import Cpu, Virtualization
from node.model.system import Commands

FACT = "libvirt"
# The daemon is started by its socket and looks at QEMU first: under an emulated processor that takes long.
_TIMEOUT_S = 45.0
_DAEMONS = ("usr/sbin/libvirtd", "usr/sbin/virtqemud")
_URI = "qemu:///system"
_RUNNING = re.compile(r"Running against daemon: (\S+)")


def read_cpu_flags(root: Path = Path("/")) -> Cpu:
    """Give the first processor's model and flags; an empty value where /proc/cpuinfo can't be read."""
    try:
        text = (root / "proc/cpuinfo").read_text().partition("\n\n")[0]
    except OSError:
        return Cpu()
    fields = dict(line.split(":", 1) for line in text.splitlines() if ":" in line)
    values = {key.strip(): value.strip() for key, value in fields.items()}
    return Cpu(model=values.get("model name", ""), flags=tuple(values.get("flags", "").split()))


def read_virtualization(cpu: Cpu, root: Path = Path("/")) -> Virtualization:
    """Give what the processor and the kernel offer."""
    hardware = next((flag for flag in ("vmx", "svm") if flag in cpu.flags), "")
    return Virtualization(hardware=hardware, kvm=(root / "dev/kvm").exists())


def ask_libvirt(commands: Commands, root: Path = Path("/")) -> dict[str, Any]:
    """Give `{}` where libvirt is not installed, else its `version` and `running` guests, or `why` not."""
    if not any((root / daemon).exists() for daemon in _DAEMONS):
        return {}
    virsh = ["virsh", "--quiet", "--readonly", "--connect", _URI]
    try:
        version = commands.run([*virsh, "version", "--daemon"], timeout_s=_TIMEOUT_S).output
        names = commands.run([*virsh, "list", "--state-running", "--name"], timeout_s=_TIMEOUT_S).output
    except CommandFailedError as error:
        last = error.details.strip().splitlines()
        return {"why": last[-1] if last else error.brief}
    match = _RUNNING.search(version)
    return {"version": match[1] if match else "", "running": len(names.split())}
