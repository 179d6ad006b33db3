"""The network of a running node: changed, tried and taken back, and the same after a restart."""

from __future__ import annotations

import os
import re
import select
import shlex
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from node.testing.vm import DhcpNamespace, Machine, MachineSpec, Nic, SshLogin
from tests.vm.checks import BOOT_LIMIT_S, assert_healthy
from tests.vm.installed import Installed, identity
from tests.vm.site import Site
from tests.vm.words import DEAD_ENDS, READY

pytestmark = pytest.mark.timeout(1500)

MACS = ("52:54:00:00:00:01", "52:54:00:00:00:02")
PASSWORD, NEW_PASSWORD = "not a secret", "no secret either"
VLAN, HOST_ADDRESS = 42, "10.78.0.1/24"
STATIC, WRONG, BRIDGED = "10.78.0.20", "10.79.0.20", "10.78.0.30"
CARDS = {f"lan{number}": {"match": {"macaddress": mac}} for number, mac in enumerate(MACS)}
WITH_VLAN = {
    "version": 2,
    "ethernets": {"lan0": CARDS["lan0"] | {"dhcp4": True}, "lan1": CARDS["lan1"]},
    "vlans": {"lan1.42": {"id": VLAN, "link": "lan1", "addresses": [f"{STATIC}/24", "fd78::20/64"]}},
}
#: The way in is gone: the VLAN stands on a bond, and its address is another network's. A card has a new name.
CUT_OFF = {
    "version": 2,
    "ethernets": CARDS | {"lan0": CARDS["lan0"] | {"set-name": "first"}},
    "bonds": {"bond0": {"interfaces": list(CARDS), "parameters": {"mode": "active-backup"}}},
    "vlans": {"bond0.42": {"id": VLAN, "link": "bond0", "addresses": [f"{WRONG}/24"]}},
}
BOND_VLAN_BRIDGE = {
    "version": 2,
    "ethernets": CARDS,
    "bonds": {
        "bond0": {
            "interfaces": list(CARDS),
            "parameters": {"mode": "802.3ad", "lacp-rate": "fast", "mii-monitor-interval": 100},
        }
    },
    # A bridge's MTU is that of its ports.
    "vlans": {"bond0.42": {"id": VLAN, "link": "bond0", "mtu": 1400}},
    "bridges": {
        "br42": {
            "interfaces": ["bond0.42"],
            "addresses": [f"{BRIDGED}/24"],
            "mtu": 1400,
            "parameters": {"stp": False},
        }
    },
}


@dataclass(frozen=True)
class Node:
    """The machine on its network, which is reached from inside the network's namespace."""

    machine: Machine
    network: DhcpNamespace
    site: Site

    def login(self, address: str) -> SshLogin:
        return SshLogin(
            host=address,
            key=self.site.key,
            known_hosts=self.machine.folder / "known_hosts",
            inside=self.network.run_inside(),
        )

    def lease(self) -> str:
        """The address that the first card was given last."""
        given = re.findall(rf"DHCPACK\(\S+\) (\S+) {MACS[0]}", self.network.log())
        return str(given[-1])

    def wait_until_up(self) -> None:
        ready = self.machine.expect(READY, timeout_s=BOOT_LIMIT_S, unless=DEAD_ENDS)
        assert ready.group("health") == "ok"
        self.machine.shell.wait_until_ready(timeout_s=60)

    def set_network(self, document: dict[str, object], *, options: str = "") -> str:
        """The command line that makes this the node's network."""
        text = yaml.safe_dump(document, default_flow_style=True, width=10**6).strip()
        return f"nodectl config set {options} network.netplan {shlex.quote(text)}"

    def wait_for_file(self, path: str, *, timeout_s: int = 90) -> None:
        wait = f"for _ in $(seq {timeout_s * 2}); do [ -e {path} ] && exit; sleep 0.5; done; exit 1"
        self.machine.shell.run(wait, timeout_s=timeout_s + 60, check=True)

    def sysfs(self, path: str) -> str:
        return self.machine.shell.run(f"cat /sys/class/net/{path}").output.strip()


@pytest.fixture
def node(site: Site, installed: Installed, tmp_path: Path) -> Iterator[Node]:
    with DhcpNamespace(tftp_root=tmp_path, cards=2, vlans={VLAN: HOST_ADDRESS}) as network:
        spec = MachineSpec(
            boot=(),
            disks=(installed.disk,),
            nics=tuple(Nic(network=network.card(number), mac=mac) for number, mac in enumerate(MACS)),
            extra_arguments=site.start_directly(installed.fact("arguments")),
        )
        with site.machine("config-network", spec) as machine:
            yield Node(machine, network, site)


def sudo(login: SshLogin, command: str, password: str, **options: float) -> subprocess.CompletedProcess[str]:
    return login.run(f"sudo -S -p '' {command}", typed=f"{password}\n", **options)


@contextmanager
def session(login: SshLogin, command: str, password: str) -> Iterator[None]:
    """A command by sudo in an SSH session that may be cut off by it; the session is over after the block."""
    with subprocess.Popen(
        login.argv(f"sudo -S -p '' {command}"),
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        assert process.stdin
        process.stdin.write(f"{password}\n".encode())
        process.stdin.flush()
        try:
            yield
        finally:
            process.kill()


def converse(login: SshLogin, command: str, answers: Sequence[tuple[str, str]]) -> tuple[int, str]:
    """Run a command on a terminal, type each answer after its question; give exit code and output."""
    said = ""
    with subprocess.Popen(
        login.argv("-tt", command), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as process:
        assert process.stdin
        assert process.stdout
        try:
            for question, answer in answers:
                asked = ""
                while question not in asked:
                    ready = select.select([process.stdout], [], [], 60)[0]
                    more = os.read(process.stdout.fileno(), 4096) if ready else b""
                    assert more, f"{question!r} wasn't asked: {said}{asked}"
                    asked += more.decode(errors="replace")
                said += asked
                # The question is there a moment before the terminal takes what is typed as a password.
                time.sleep(3)
                process.stdin.write(f"{answer}\n".encode())
                process.stdin.flush()
            said += process.stdout.read().decode(errors="replace")
        except BaseException:
            process.kill()
            raise
    return process.returncode, said


def test_tried_taken_back_confirmed_and_there_again(node: Node, installed: Installed) -> None:
    node.wait_until_up()
    by_lease = node.login(node.lease())
    by_lease.wait(timeout_s=60)
    set_vlan_and_password(node, by_lease)
    by_vlan = node.login(STATIC)
    by_vlan.wait(timeout_s=60)
    be_taken_back(node, by_vlan)
    keep_bond_and_bridge(node, by_vlan)

    node.machine.shell.run("systemctl --no-block reboot")
    node.wait_until_up()
    by_bridge = node.login(BRIDGED)
    by_bridge.wait(timeout_s=60)
    assert identity(by_bridge) == {name: installed.fact(name) for name in ("machine-id", "host-key")}
    assert_bond_and_bridge(node)
    assert sudo(by_bridge, "true", NEW_PASSWORD).returncode == 0
    assert sudo(by_bridge, "true", PASSWORD).returncode != 0
    assert node.machine.shell.run("stat -c '%U:%G %a' /etc/shadow").output.strip() == "root:shadow 640"
    assert_healthy(by_bridge)


def set_vlan_and_password(node: Node, login: SshLogin) -> None:
    """A static address in a VLAN beside DHCP, and a password, over SSH."""
    ran = sudo(login, node.set_network(WITH_VLAN), PASSWORD, timeout_s=120)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "confirm" in ran.stdout + ran.stderr
    node.login(STATIC).wait(timeout_s=60)
    confirmed = sudo(node.login(STATIC), "nodectl config confirm", PASSWORD, timeout_s=60)
    assert confirmed.returncode == 0, confirmed.stdout + confirmed.stderr
    assert node.sysfs("lan1.42/uevent").count("DEVTYPE=vlan") == 1
    # Asked twice, on a terminal.
    answers = (("password", PASSWORD), ("New password", NEW_PASSWORD), ("Once more", NEW_PASSWORD))
    code, said = converse(login, "sudo nodectl password", answers)
    assert code == 0, said
    assert NEW_PASSWORD not in said
    assert sudo(login, "true", NEW_PASSWORD).returncode == 0


def be_taken_back(node: Node, login: SshLogin) -> None:
    """A change that cuts off who makes it is gone by itself, devices and all, and nothing is stored of it."""
    stored = node.machine.shell.run("cat /config/node.yaml", check=True).output
    with session(login, node.set_network(CUT_OFF, options="--timeout 30"), NEW_PASSWORD):
        node.wait_for_file("/sys/class/net/bond0.42/operstate")
        assert node.sysfs("bond0/bonding/mode").startswith("active-backup")
        assert "first" in node.sysfs("bond0/bonding/slaves").split()
        assert login.run("true", timeout_s=25).returncode == 255
    login.wait(timeout_s=90)
    links = node.machine.shell.run("ls /sys/class/net").output.split()
    assert not {"bond0", "first"} & set(links), links
    assert node.machine.shell.run("cat /config/node.yaml", check=True).output == stored
    late = sudo(login, "nodectl config confirm", NEW_PASSWORD, timeout_s=60)
    assert late.returncode not in {0, 70}, late.stdout + late.stderr


def keep_bond_and_bridge(node: Node, login: SshLogin) -> None:
    """A bond under a VLAN under a bridge, confirmed at the address that came with it."""
    command = node.set_network(BOND_VLAN_BRIDGE, options="--timeout 90")
    with session(login, command, NEW_PASSWORD):
        by_bridge = node.login(BRIDGED)
        by_bridge.wait(timeout_s=90)
        confirmed = sudo(by_bridge, "nodectl config confirm", NEW_PASSWORD, timeout_s=60)
    assert confirmed.returncode == 0, confirmed.stdout + confirmed.stderr
    assert_bond_and_bridge(node)


def assert_bond_and_bridge(node: Node) -> None:
    assert node.sysfs("bond0/bonding/mode").startswith("802.3ad")
    assert node.sysfs("bond0/bonding/lacp_rate").startswith("fast")
    assert node.sysfs("bond0/bonding/miimon") == "100"
    assert len(node.sysfs("bond0/bonding/slaves").split()) == len(MACS)
    assert node.sysfs("br42/mtu") == "1400"
    assert "lan1.42" not in node.machine.shell.run("ls /sys/class/net").output
