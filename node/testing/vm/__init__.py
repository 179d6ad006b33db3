"""A virtual machine to boot: QEMU driven from a test, over serial line, SSH and QMP.

Ships in the package, so that a plugin's author can boot a node with the plugin in it. Needs the extra
``nodecrust[testing]`` and the Debian packages qemu-system-x86, qemu-utils and ovmf.
"""

from node.testing.vm.accel import Accel, choose_accel
from node.testing.vm.console import Console, MachineFailure
from node.testing.vm.content import ContentServer
from node.testing.vm.machine import Machine
from node.testing.vm.namespace import DhcpNamespace
from node.testing.vm.shell import RootShell, ShellResult
from node.testing.vm.spec import (
    BootFrom,
    Bus,
    Disk,
    Firmware,
    MachineSpec,
    Nic,
    TapNetwork,
    UserNetwork,
)
from node.testing.vm.ssh import SshLogin, make_ssh_key

__all__ = [
    "Accel",
    "BootFrom",
    "Bus",
    "Console",
    "ContentServer",
    "DhcpNamespace",
    "Disk",
    "Firmware",
    "Machine",
    "MachineFailure",
    "MachineSpec",
    "Nic",
    "RootShell",
    "ShellResult",
    "SshLogin",
    "TapNetwork",
    "UserNetwork",
    "choose_accel",
    "make_ssh_key",
]
