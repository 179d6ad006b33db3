"""A node that boots over PXE each time, with only its configuration on the disk: the same one each time.

The initrd fetches the image over a bond and a VLAN that the kernel's command line asks for. The node has a
network of its own, and nothing is left of these.
"""

from __future__ import annotations

import json

import pytest

from node.testing.vm import (
    BootFrom,
    ContentServer,
    DhcpNamespace,
    Disk,
    Machine,
    MachineSpec,
    Nic,
    RootShell,
    SshLogin,
)
from node.testing.vm.shell import KERNEL_ARGUMENT
from node.testing.vm.spec import GIB
from tests.vm.checks import BOOT_LIMIT_S, assert_healthy
from tests.vm.installed import INSTALL_LIMIT_S, identity
from tests.vm.site import Site
from tests.vm.words import DEAD_ENDS, INSTALL_FAILED, INSTALLED, READY, ROOT_MOUNTED

pytestmark = pytest.mark.timeout(2000)

MACS = ("52:54:00:00:00:01", "52:54:00:00:00:02")
VLAN, HOST, EARLY = 42, "10.78.0.1", "10.78.0.40"
PORT = 8080
ROLES = ["CONFIG", "SWAP", "LOGGING"]
EARLY_NETWORK = (
    "net.ifnames=0",
    "bond=bond0:eth0,eth1:mode=802.3ad,miimon=100,lacp_rate=fast",
    f"vlan=bond0.{VLAN}:bond0",
    f"ip={EARLY}::{HOST}:255.255.255.0::bond0.{VLAN}:none",
)


def test_the_same_node_after_each_boot(site: Site) -> None:
    folder = site.folder / "pxe-config"
    folder.mkdir()
    answers = site.answers({"serial": "SMALL"}, storage={"disk": {"serial": "SMALL"}, "roles": ROLES})
    with DhcpNamespace(
        tftp_root=folder,
        cards=2,
        vlans={VLAN: f"{HOST}/24"},
        ipxe=f"http://10.77.0.1:{PORT}/boot.ipxe",
    ) as network:
        server = ContentServer(
            site.image,
            log=site.folder / "pxe-config.log",
            answers=answers,
            append=(KERNEL_ARGUMENT, *EARLY_NETWORK),
            listen="0.0.0.0",
            # The initrd has no way there but by the VLAN.
            address=HOST,
            port=PORT,
            inside=network.run_inside(),
        )
        spec = MachineSpec(
            boot=(BootFrom.PXE,),
            disks=(Disk(serial="SMALL", size_bytes=4 * GIB),),
            nics=tuple(Nic(network=network.card(number), mac=mac) for number, mac in enumerate(MACS)),
        )
        with server, site.machine("pxe-config", spec) as machine:
            install_configuration(machine)
            shell = wait_until_up(machine)
            login = login_to(site, machine, network)
            first = identity(login), addresses(shell)
            assert_nothing_early_is_left(shell)
            assert_healthy(login)
            shell.run(
                "nodectl config set network.hostname=by-pxe locale.keyboard=de", timeout_s=120, check=True
            )
            shell.run("echo volatile >/etc/volatile", check=True)

            shell.run("systemctl --no-block reboot")
            shell = wait_until_up(machine)
            login = login_to(site, machine, network)
            assert (identity(login), addresses(shell)) == first
            assert shell.run("hostname").output.strip() == "by-pxe"
            assert_german_keyboard(shell)
            assert shell.run("test -e /etc/volatile").code == 1
            assert_nothing_early_is_left(shell)
            assert_healthy(login)


def install_configuration(machine: Machine) -> None:
    """The first boot has no state yet: its network is what the command line asked for, bond options too."""
    machine.expect(ROOT_MOUNTED, timeout_s=300, unless=DEAD_ENDS)
    shell = machine.shell
    shell.wait_until_ready(timeout_s=120)
    bond = shell.run("cd /sys/class/net/bond0/bonding && cat mode miimon lacp_rate slaves", check=True).output
    *options, slaves = bond.split("\n")[:4]
    assert options == ["802.3ad 4", "100", "fast 1"]
    # In the order in which the kernel found them.
    assert sorted(slaves.split()) == ["eth0", "eth1"]
    assert EARLY in shell.run(f"ip -brief address show bond0.{VLAN}").output
    machine.expect(INSTALLED, timeout_s=INSTALL_LIMIT_S, unless=(*DEAD_ENDS, INSTALL_FAILED))


def wait_until_up(machine: Machine) -> RootShell:
    machine.expect(ROOT_MOUNTED, timeout_s=300, unless=DEAD_ENDS)
    ready = machine.expect(READY, timeout_s=BOOT_LIMIT_S, unless=DEAD_ENDS)
    assert ready.group("slot") == "none"
    assert ready.group("health") == "ok"
    machine.shell.wait_until_ready(timeout_s=60)
    return machine.shell


def addresses(shell: RootShell) -> dict[str, str]:
    """The IPv4 address of each card."""
    found = json.loads(shell.run("ip -json -4 address", check=True).output)
    return {card["ifname"]: card["addr_info"][0]["local"] for card in found if card["ifname"] != "lo"}


def assert_german_keyboard(shell: RootShell) -> None:
    """The console's keymap has the key that the layout `us` lacks; that one has it only as composed."""
    # Counted there: all of it takes a slow serial line longer than a command may.
    shell.run("dumpkeys -C /dev/tty0 | grep -q '^keycode.*adiaeresis'", timeout_s=60, check=True)


def login_to(site: Site, machine: Machine, network: DhcpNamespace) -> SshLogin:
    login = SshLogin(
        host=next(iter(addresses(machine.shell).values())),
        key=site.key,
        known_hosts=machine.folder / "known_hosts",
        inside=network.run_inside(),
    )
    login.wait(timeout_s=60)
    return login


def assert_nothing_early_is_left(shell: RootShell) -> None:
    """The node's own network: DHCP on each card, and neither bond nor VLAN."""
    assert len(addresses(shell)) == len(MACS)
    assert "bond0" not in shell.run("ls /sys/class/net", check=True).output
    files = shell.run("ls -R /run/systemd/network", check=True).output
    assert all(
        "netplan" in name for name in files.split() if name.endswith((".network", ".netdev", ".link"))
    ), files
