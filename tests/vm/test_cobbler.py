"""A real cobbler from end to end: its own PXE files install a node, and do not install it again.

QEMU's TFTP serves cobbler's TFTP root. Kernel, initrd and menu are those that cobbler wrote there; the
answers are the kickstart that it renders for the machine.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from node.testing.vm import ContentServer, Machine, MachineSpec, Nic, SshLogin, UserNetwork, make_ssh_key
from node.testing.vm.content import HOST
from node.testing.vm.shell import KERNEL_ARGUMENT
from tests.cobbler.site import PASSWORD, USER, Cobbler, make_certificate, running
from tests.vm.checks import assert_healthy, wait_until
from tests.vm.installed import install
from tests.vm.site import ALPHA, PASSWORD_HASH, PXE_FIRST, Site
from tests.vm.words import DEAD_ENDS, FOUND_FINISHED, INSTALLED, READY

pytestmark = pytest.mark.timeout(4000)

MAC = "52:54:00:00:00:01"
SYSTEM = "rack7"


@pytest.fixture
def cobbler(site: Site) -> Iterator[Cobbler]:
    folder = site.folder / "cobbler"
    folder.mkdir()
    # What it writes for machines has the address that QEMU's guests know this one by.
    with running(folder, make_certificate(site.folder), server=HOST, next_server_v4=HOST) as found:
        yield found


def test_it_installs_a_node_once(site: Site, cobbler: Cobbler) -> None:
    with ContentServer(site.image, log=site.folder / "cobbler.log") as content:
        tell_cobbler(site, cobbler, content)
        network = UserNetwork(tftp_root=cobbler.folder / "tftp", bootfile="pxelinux.0")
        spec = MachineSpec(boot=PXE_FIRST, disks=(ALPHA,), nics=(Nic(network=network, mac=MAC),))
        with site.machine("cobbler", spec) as machine:
            # Its first start is over PXE still: only the node itself knows that it runs, and says so.
            login = install(machine, site)
            assert login.run("hostname").stdout.strip() == SYSTEM
            wait_until(lambda: not cobbler.api.get_system(SYSTEM)["netboot_enabled"], "PXE to be off")
            assert "localboot" in menu(cobbler)
            assert_told(login)
            assert_healthy(login)
            # From now on nothing of the image comes over the network.
            content.stop()
            starts_from_its_disk(machine)


def tell_cobbler(site: Site, cobbler: Cobbler, content: ContentServer) -> None:
    """Import the image, and make the system as somebody who looks after cobbler does."""
    for name in ("pxelinux.0", "ldlinux.c32"):
        # syslinux' own files, which cobbler takes from where its distribution has them.
        shutil.copyfile(site.image / "pxe" / name, cobbler.folder / "tftp" / name)
    password = site.folder / "cobbler-password"
    password.write_text(f"{PASSWORD}\n")
    arguments = (
        KERNEL_ARGUMENT,
        f"node.cobbler.server=http://{HOST}:{cobbler.plain.rpartition(':')[2]}",
        "node.cobbler.trust=network",
    )
    subprocess.run(
        [Path(sys.executable).with_name("node-image"), "cobbler", "import", site.image,
         "--server", cobbler.plain, "--plain-http", "--user", USER, "--password-file", password,
         "--name", "thin", "--base-url", content.url, "--append", " ".join(arguments),
         "--kickstart", kickstart(site)],
        check=True, stdin=subprocess.DEVNULL, capture_output=True,
    )  # fmt: skip
    cobbler.system(SYSTEM, "thin", eth0=MAC)
    assert f"{content.url}/root.squashfs" in menu(cobbler)


def kickstart(site: Site) -> Path:
    """A template of cobbler's, which takes a dollar for its own."""
    path = site.folder / "thin.ks"
    path.write_text(f"""\
lang C.UTF-8
timezone Europe/Prague --utc
network --hostname=$system_name
ignoredisk --only-use=/dev/disk/by-id/virtio-{ALPHA.serial}
user --name=admin --groups=wheel --iscrypted --password={PASSWORD_HASH.replace("$", chr(92) + "$")}
sshkey --username=admin "{make_ssh_key(site.key)}"
bootloader --append="{KERNEL_ARGUMENT} node.console=login"
reboot
""")
    return path


def menu(cobbler: Cobbler) -> str:
    return (cobbler.folder / "tftp/pxelinux.cfg" / f"01-{MAC.replace(':', '-')}").read_text()


def assert_told(login: SshLogin) -> None:
    word = json.loads(login.run("cat /run/node/registration.json").stdout)["backends"]["cobbler"]
    assert (word["standing"], word["words"]) == ("done", f"cobbler starts {SYSTEM} from its disk")


def starts_from_its_disk(machine: Machine) -> None:
    machine.console.forget()
    machine.reset()
    ready = machine.expect(READY, timeout_s=900, unless=(*DEAD_ENDS, FOUND_FINISHED, INSTALLED))
    assert ready.group("slot") == "a"
    machine.shell.wait_until_ready(timeout_s=60)
    arguments = machine.shell.run("cat /proc/cmdline", check=True).output
    assert "node.image=PARTUUID=" in arguments
    assert "node.answers" not in arguments
