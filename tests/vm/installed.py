"""An installed node's disk, made once for each image and kept: a story that needs one begins with a copy."""

from __future__ import annotations

import fcntl
import hashlib
import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from node.testing.vm import Disk, Machine, MachineSpec, SshLogin
from tests.vm.checks import install_id, wait_for_node
from tests.vm.site import ALPHA, PXE_FIRST, Site, ipxe
from tests.vm.words import DEAD_ENDS, FOUND_FINISHED, INSTALL_FAILED, INSTALLED, KERNEL

INSTALL_LIMIT_S = 600
#: Counted up where what is done below to a node changes, so that no older disk is taken.
FORM = 1
#: What the operator did to the node since, so that the stories can see whether it lasts.
TIMEZONE = "Europe/Berlin"
KEPT_FILE, KEPT_TEXT = "/etc/kept-by-operator", "kept"


@dataclass(frozen=True)
class Installed:
    """The disk of a node that was installed, started once and switched off, and what it was then."""

    folder: Path

    @property
    def disk(self) -> Disk:
        """A disk that begins as the node's."""
        return Disk(serial=ALPHA.serial, begin_as=self.folder / "ALPHA.qcow2")

    def fact(self, name: str) -> str:
        """What the node said of itself: machine-id, host-key, install-id, arguments (the kernel's)."""
        facts: dict[str, str] = json.loads((self.folder / "facts.json").read_text())
        return facts[name]


def install(machine: Machine, site: Site) -> SshLogin:
    """Wait for an unattended installation over PXE, and for the node that starts after it."""
    machine.expect(KERNEL, timeout_s=120, unless=DEAD_ENDS)
    machine.expect(INSTALLED, timeout_s=INSTALL_LIMIT_S, unless=(*DEAD_ENDS, INSTALL_FAILED, FOUND_FINISHED))
    # The machine restarts by itself, over PXE again, and finds what it has installed.
    return boot_what_is_installed(machine, site)


def boot_what_is_installed(machine: Machine, site: Site) -> SshLogin:
    """Wait until a machine that boots over PXE first runs from its disk."""
    machine.expect(FOUND_FINISHED, timeout_s=400, unless=(*DEAD_ENDS, INSTALLED))
    return wait_for_node(machine, site)


def identity(login: SshLogin) -> dict[str, str]:
    """What stays the same for as long as it is the same node."""
    commands = {"machine-id": "cat /etc/machine-id", "host-key": "cat /etc/ssh/ssh_host_ed25519_key.pub"}
    return {name: login.run(command).stdout.strip() for name, command in commands.items()}


@contextmanager
def publishing(site: Site) -> Iterator[Callable[[Machine, SshLogin], None]]:
    """Hold the right to make the disk; what it gives ends a node that just started and keeps its disk."""
    with (site.cache / "installed.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield lambda machine, login: _publish(machine, login, _folder(site))


def installed_node(site: Site) -> Installed:
    """Give the disk for this image; whoever comes first makes it."""
    folder = _folder(site)
    with publishing(site) as publish:
        if not folder.exists():
            with site.serve(answers=site.answers({"serial": ALPHA.serial})) as server:
                spec = MachineSpec(boot=PXE_FIRST, disks=(ALPHA,), nics=(ipxe(server),))
                with site.machine("installed", spec) as machine:
                    publish(machine, install(machine, site))
    return Installed(folder)


def _folder(site: Site) -> Path:
    answers = site.answers({"serial": ALPHA.serial})
    parts: list[Any] = [FORM, (site.image / "SHA256SUMS").read_text(), answers.read_text()]
    return site.cache / f"installed-{hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]}"


def _publish(machine: Machine, login: SshLogin, folder: Path) -> None:
    arguments = login.run("cat /proc/cmdline").stdout.strip()
    facts = identity(login) | {"install-id": install_id(login), "arguments": arguments}
    shell = machine.shell
    shell.wait_until_ready(timeout_s=60)
    shell.run(
        f"echo {KEPT_TEXT} > {KEPT_FILE} && chown admin {KEPT_FILE} && chmod 640 {KEPT_FILE}", check=True
    )
    shell.run(f"nodectl persist add {KEPT_FILE}", timeout_s=120, check=True)
    shell.run(f"nodectl config set locale.timezone {TIMEZONE}", timeout_s=120, check=True)
    shell.run("systemctl --no-block poweroff")
    machine.wait_until_off(timeout_s=120)
    machine.stop()
    if folder.exists():
        return
    partial = folder.with_suffix(".partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir()
    shutil.copyfile(machine.folder / f"{ALPHA.serial}.qcow2", partial / "ALPHA.qcow2")
    (partial / "ALPHA.qcow2").chmod(0o444)
    (partial / "facts.json").write_text(json.dumps(facts, indent=2))
    partial.rename(folder)
    # One image is under test; a run beside this one may still be at the one before.
    older = sorted(folder.parent.glob("installed-*/"), key=lambda path: path.stat().st_mtime, reverse=True)
    for path in older[2:]:
        shutil.rmtree(path, ignore_errors=True)
