"""What is true of a node that runs from its own disk."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

from node.testing.vm import Machine, MachineFailure, RootShell, SshLogin
from node.testing.vm.patience import patient
from tests.vm.site import Site
from tests.vm.words import DEAD_ENDS, KERNEL, LOGIN, READY

BOOT_LIMIT_S = 420.0
PATIENCE_S = 300.0


def wait_for_node(machine: Machine, site: Site, *, timeout_s: float = BOOT_LIMIT_S) -> SshLogin:
    """Wait until a node runs from a slot of its disk, healthy, with a login prompt and SSH."""
    machine.expect(KERNEL, timeout_s=timeout_s, unless=DEAD_ENDS)
    ready = machine.expect(READY, timeout_s=timeout_s, unless=DEAD_ENDS)
    assert ready.group("slot") == "a"
    assert ready.group("health") == "ok"
    if not machine.console.said(LOGIN):
        # On a busy machine the prompt comes after that line.
        machine.expect(LOGIN, timeout_s=60)
    login = machine.ssh(key=site.key)
    login.wait(timeout_s=timeout_s)
    image = _json(login, "cat /run/node/image.json")
    assert image["source"] == "slot", image
    return login


def wait_until(is_so: Callable[[], object], what: str, instead: Callable[[], object] = lambda: "") -> None:
    """Wait for what a node or a server does by itself; MachineFailure with what is so instead."""
    deadline = time.monotonic() + patient(PATIENCE_S)
    while not is_so():
        if time.monotonic() > deadline:
            raise MachineFailure(f"{what} did not come within {PATIENCE_S:g} s {instead()}")
        time.sleep(2)


def assert_healthy(login: SshLogin) -> None:
    """The node says itself that it is well."""
    ran = login.run("nodectl status --json", timeout_s=120)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert json.loads(ran.stdout)["healthy"] is True, ran.stdout
    failed = login.run("systemctl --failed --no-legend --plain").stdout
    assert failed.strip() == ""


def assert_node_as_designed(login: SshLogin) -> None:
    """The root is read-only below an overlay, and what lasts is on partitions of its own."""
    mounts = login.run("findmnt --raw --noheadings --output TARGET,FSTYPE,OPTIONS").stdout
    by_target = {words[0]: words[1:] for line in mounts.splitlines() if (words := line.split())}
    assert by_target["/"][0] == "overlay"
    assert by_target["/run/node/lower"][0] == "squashfs"
    for target in ("/config", "/var/log", "/data"):
        assert target in by_target, mounts
    assert login.run("cat /proc/swaps").stdout.count("\n") == 2
    # Devices whose drivers only the root has were gone through after the initrd.
    kvm = login.run("grep -qwE 'vmx|svm' /proc/cpuinfo && udevadm settle && test -c /dev/kvm", timeout_s=120)
    assert kvm.returncode == 0, login.run("nodectl status").stdout
    assert login.run("hostname").stdout.strip() == "node-under-test"


def install_id(login: SshLogin) -> str:
    """The ID of the installation that the node runs from."""
    return str(_json(login, "nodectl status --json")["install"]["id"])


def writes(shell: RootShell) -> dict[str, int]:
    """How often each disk was written since the boot (/sys/block/*/stat, field 5)."""
    ran = shell.run(
        "cd /sys/block; for disk in vd* sd* nvme*; do [ -e $disk ] && echo $disk $(cat $disk/stat); done"
    )
    return {words[0]: int(words[5]) for line in ran.output.splitlines() if len(words := line.split()) > 5}


def _json(login: SshLogin, command: str) -> dict[str, Any]:
    ran = login.run(command)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    read: dict[str, Any] = json.loads(ran.stdout)
    return read
