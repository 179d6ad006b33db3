"""The part of the inventory that is quick to read and wakes no disk, for the panels of `nodectl status`."""

from __future__ import annotations

import dataclasses
import json
import re
import socket
from pathlib import Path
from typing import Any

from node.errors import CommandFailedError
from node.model.inventory import Cpu, Inventory
from node.model.system import Commands
from node.system.probe.firmware import find_firmware
from node.system.probe.image import find_image
from node.system.probe.nics import find_nics
from node.system.probe.processors import find_cpu, find_memory
from node.system.probe.virtualization import find_virtualization

LIBVIRT = "libvirt"
REGISTRATION = "registration"
# The daemon is started by its socket, which takes its time on a slow machine.
_TIMEOUT_S = 45.0
_DAEMONS = ("usr/sbin/libvirtd", "usr/sbin/virtqemud")
_URI = "qemu:///system"
_VERSION = re.compile(r"\d+(\.\d+)+")
_NO_SOCKETS = Path("/nonexistent")


def quick_inventory(commands: Commands, *, libvirt: bool = True) -> Inventory:
    """Give the machine without its disks; `facts["libvirt"]` is what `ask_libvirt` gives.

    Without `libvirt` its daemon is left alone. `facts["registration"]` is what `find_registration` gives.
    """
    try:
        cpu, memory = find_cpu(), find_memory()
    except (OSError, ValueError):
        cpu, memory = Cpu(), 0
    firmware, _ = find_firmware()
    # libvirt is asked below, with a time limit; its binding has none.
    virtualization, _ = find_virtualization(cpu, firmware, run=_NO_SOCKETS)
    image, _ = find_image()
    return Inventory(
        hostname=socket.gethostname(),
        cpu=cpu,
        memory=memory,
        firmware=firmware,
        # Whether it is there, not whether the user who asks may use it.
        virtualization=dataclasses.replace(virtualization, kvm=Path("/dev/kvm").exists()),
        nics=find_nics(),
        image=image,
        facts={
            **({LIBVIRT: ask_libvirt(commands)} if libvirt else {}),
            REGISTRATION: find_registration(),
        },
    )


def find_registration(root: Path = Path("/")) -> dict[str, Any]:
    """Give the names of the backends of registration that this node is told of, and the last word of each."""
    try:
        asked = sorted(path.name for path in (root / "etc/nodecrust/registration.d").iterdir())
    except OSError:
        return {}
    try:
        backends = json.loads((root / "run/node/registration.json").read_text())["backends"]
    except (OSError, ValueError, KeyError, TypeError):
        backends = {}
    return {"asked": asked, "backends": backends}


def ask_libvirt(commands: Commands, root: Path = Path("/")) -> dict[str, Any]:
    """Give `{}` where libvirt is not installed, else its `version` and `running` guests, or `why` not."""
    daemon = next((f"/{path}" for path in _DAEMONS if (root / path).exists()), "")
    if not daemon:
        return {}
    virsh = ["virsh", "--quiet", "--readonly", "--connect", _URI]
    try:
        # `virsh version` has the daemon start every QEMU to ask what it can do: half a minute without KVM.
        version = commands.run([daemon, "--version"], timeout_s=_TIMEOUT_S).output
        names = commands.run([*virsh, "list", "--state-running", "--name"], timeout_s=_TIMEOUT_S).output
    except CommandFailedError as error:
        last = error.details.strip().splitlines()
        return {"why": last[-1] if last else error.brief}
    match = _VERSION.search(version)
    return {"version": match[0] if match else "", "running": len(names.split())}
