"""A node whose state, CONFIG or plugins are broken: it comes up reachable each time, and says why."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from node.testing.vm import Disk, Machine, MachineSpec, Nic, SshLogin, UserNetwork
from tests.vm.checks import BOOT_LIMIT_S
from tests.vm.config_disk import MIB, make_other_config
from tests.vm.installed import KEPT_FILE, KEPT_TEXT, TIMEZONE, Installed, identity
from tests.vm.plant import planted_initrd, plugin
from tests.vm.site import Site
from tests.vm.words import DEAD_ENDS, READY

pytestmark = pytest.mark.timeout(1500)

HEAD = """\
import time

from node.hookspecs import hookimpl


@hookimpl
def node_render(state, inventory):
"""
RAISES = plugin("raises", HEAD + "    raise RuntimeError('words of the plugin')\n")
HANGS = plugin("hangs", HEAD + "    time.sleep(3600)\n")
#: Neither an alarm signal nor an exception gets it out.
HANGS_HARD = plugin(
    "hangshard",
    HEAD + "    while True:\n        try:\n            time.sleep(3600)\n"
    "        except BaseException:\n            pass\n",
)
STATE = "/sysroot/config/node.yaml"
TORN = f"head -c 100 {STATE} >/plant/torn\ncat /plant/torn >{STATE}\n"
FROM_THE_FUTURE = f"sed -i 's/^version: .*/version: 99/' {STATE}\n"
FULL = "cat /dev/zero >/sysroot/config/filler || :\n"


@contextmanager
def started(
    site: Site, installed: Installed, name: str, script: str, *others: Disk
) -> Iterator[tuple[Machine, str]]:
    """Start the node with a fault and with other disks; give it with what it says of its health."""
    initrd = planted_initrd(site.image / "initrd", site.folder / f"{name}.initrd", script)
    spec = MachineSpec(
        disks=(installed.disk, *others),
        boot=(),
        nics=(Nic(network=UserNetwork()),),
        extra_arguments=site.start_directly(installed.fact("arguments"), initrd=initrd),
    )
    try:
        with site.machine(name, spec) as machine:
            ready = machine.expect(READY, timeout_s=BOOT_LIMIT_S, unless=DEAD_ENDS)
            machine.shell.wait_until_ready(timeout_s=60)
            yield machine, ready.group("health")
    finally:
        initrd.unlink()


def assert_same_node(login: SshLogin, installed: Installed) -> None:
    """The node is reached with the key of the answers, and has kept all that it had."""
    login.wait(timeout_s=60)
    assert identity(login) == {name: installed.fact(name) for name in ("machine-id", "host-key")}
    assert login.run("hostname").stdout.strip() == "node-under-test"
    assert login.run("readlink /etc/localtime").stdout.strip().endswith(TIMEZONE)
    assert login.run(f"sudo -n cat {KEPT_FILE} || cat {KEPT_FILE}").stdout.strip() == KEPT_TEXT


def test_torn_state_a_second_config_and_plugins_that_raise_and_hang(
    site: Site, installed: Installed, tmp_path: Path
) -> None:
    other = Disk(serial="OTHER", begin_as=make_other_config(tmp_path), size_bytes=19 * MIB)
    with started(site, installed, "torn", TORN + RAISES + HANGS, other) as (machine, health):
        assert health.startswith("bad: ")
        login = machine.ssh(key=site.key)
        assert_same_node(login, installed)
        status = login.run("nodectl status")
        words = " ".join(status.stdout.split())
        assert "plugin raises (raises 1.0): " in words
        assert "words of the plugin" in words
        assert "plugin hangs (hangs 1.0): " in words
        assert "longer than" in words
        assert "history" in words
        assert machine.console.said("words of the plugin")
        kept = machine.shell.run("cat /config/broken/*", check=True).output
        assert kept.startswith("# Nodecrust configuration")
        assert len(kept) == 100
        # The disk that the node runs from has its CONFIG; the other one is named.
        assert "vdb" in machine.shell.run("cat /run/node/alarms", check=True).output


def test_full_config_and_a_plugin_that_nothing_ends(site: Site, installed: Installed) -> None:
    with started(site, installed, "full", FULL + HANGS_HARD) as (machine, health):
        assert health.startswith("bad: ")
        login = machine.ssh(key=site.key)
        assert_same_node(login, installed)
        words = " ".join(login.run("nodectl status").stdout.split())
        assert "longer than" in words
        assert "full" in words
        shell = machine.shell
        shell.run("rm -r /usr/lib/python3/dist-packages/hangshard*", check=True)
        before = shell.run("cat /config/node.yaml", check=True).output
        refused = shell.run("nodectl config set network.hostname other", timeout_s=120)
        assert refused.code not in {0, 70}, refused.output
        assert "full" in refused.output.lower() or "no space" in refused.output.lower()
        assert shell.run("cat /config/node.yaml", check=True).output == before
        assert shell.run("hostname").output.strip() == "node-under-test"
        shell.run("rm /config/filler", check=True)
        shell.run("nodectl config set network.hostname roomy", timeout_s=120, check=True)
        assert "roomy" in shell.run("nodectl config get network.hostname", timeout_s=60).output


@pytest.mark.soak
def test_a_state_from_the_future(site: Site, installed: Installed) -> None:
    with started(site, installed, "future", FROM_THE_FUTURE) as (machine, health):
        assert health.startswith("bad: ")
        assert_same_node(machine.ssh(key=site.key), installed)
        # It is a newer image's, which may be booted again.
        assert "version: 99" in machine.shell.run("cat /config/node.yaml", check=True).output
        assert "version 99" in machine.shell.run("cat /run/node/alarms", check=True).output
