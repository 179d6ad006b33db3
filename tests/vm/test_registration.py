"""A node that was installed over PXE and told of a management server: by itself from nothing to active.

The server is a real one over TLS; the guest reaches it at 10.0.2.2. It is away during the installation and
comes later, so that one installation shows each of a node's standings, and what it keeps until it is heard.
A plugin that was put into the built image has its steps in that installation, and its say ever after.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from node.testing.vm import Machine, MachineSpec, SshLogin
from node.testing.vm.content import HOST, free_port
from tests.server.running import Server
from tests.vm.checks import assert_healthy, wait_until
from tests.vm.installed import boot_what_is_installed, install
from tests.vm.site import ALPHA, PXE_FIRST, Site, ipxe, node_image
from tests.wheels import Wheel

pytestmark = pytest.mark.timeout(4000)

POOL = "racks"
BURN_IN = Path(__file__).parents[2] / "examples/burn-in"
TRIED = ("burn-in processors", "burn-in memory", "burn-in disk")


@pytest.fixture
def server(site: Site) -> Iterator[Server]:
    """A server that has run once, so that it has a CA and tokens, and is away now."""
    folder = site.folder / "node-server"
    folder.mkdir()
    server = Server(folder, f"sqlite:///{folder / 'node.db'}", ("--name", HOST, "--heartbeat", "5s"))
    port = free_port()
    server.start(f"127.0.0.1:{port}")
    server.stop()
    yield server
    if server.is_running:
        server.stop()
    assert "Traceback" not in server.log


@pytest.fixture
def tried(site: Site) -> Site:
    """Give the site with an image to which a vendor's burn-in was added, without its kickstart."""
    folder = site.folder / "burn-in"
    folder.mkdir()
    project = tomllib.loads((BURN_IN / "pyproject.toml").read_text())["project"]
    wheel = Wheel(
        name=project["name"],
        version=project["version"],
        points=project["entry-points"]["nodecrust"],
        headers=(f"Keywords: {','.join(project['keywords'])}",),
        files={f"burn_in/{path.name}": path.read_text() for path in (BURN_IN / "burn_in").glob("*.py")},
    )
    node_image("add-plugin", site.image, wheel.write(folder), "--output", folder / "image")
    return replace(site, image=folder / "image")


def test_from_a_server_that_is_away_to_an_active_node(tried: Site, server: Server) -> None:
    site = tried
    listen = server.url.removeprefix("https://")
    token = server.token("--pool", POOL)
    registration = {
        "server": f"https://{HOST}:{listen.rpartition(':')[2]}",
        "fingerprint": server.json("ca", "show")["fingerprint"],
        "token": token,
        "pool": POOL,
    }
    burn_in = {"minutes": 1, "memory_percent": 1}
    answers = site.answers({"serial": ALPHA.serial}, registration=registration, burn_in=burn_in)
    with site.serve(answers=answers) as content:
        spec = MachineSpec(boot=PXE_FIRST, disks=(ALPHA,), nics=(ipxe(content),))
        with site.machine("registration", spec) as machine:
            login = install(machine, site)
            assert machine.console.said("Try the processors for 1 min")
            # Quiet, so that no token is echoed and no letter doubled.
            machine.shell.wait_until_ready(timeout_s=120)
            asks_in_vain(login)

            server.start(listen)
            node_id = waits_for_an_operator(login, server)
            server.cli("nodes", "approve", node_id)
            becomes_active(login, server, node_id)
            assert_token_is_forgotten(machine, token)
            assert_facts(server, node_id)

            server.stop()
            keeps_what_happens(machine, login)
            server.start(listen)
            tells_it_once(server, node_id)

            machine.reset()
            login = boot_what_is_installed(machine, site)
            is_the_same_node(login, server, node_id)
            assert_healthy(login)
            assert token not in machine.log.read_text(errors="replace")
    assert token not in server.log


def asks_in_vain(login: SshLogin) -> None:
    """The node works; that its server is away is said, and makes it no worse."""
    standing(login, "waiting")
    assert_healthy(login)
    shown = login.run("nodectl status", timeout_s=120).stdout
    assert all(name in shown for name in TRIED), shown
    assert "can't be reached" in " ".join(shown.split()), shown
    assert "to be done" in shown
    # A timer is there for the next try; the unit itself has not failed.
    timers = login.run("systemctl list-timers --all --no-legend nodecrust-register.timer").stdout
    assert "nodecrust-register.service" in timers, timers


def waits_for_an_operator(login: SshLogin, server: Server) -> str:
    """It comes by itself; both sides show the same fingerprints, which an operator compares."""
    terms = standing(login, "pending")["terms"]
    (node,) = server.json("nodes", "list")
    assert (node["state"], node["pool"]) == ("pending", POOL)
    assert bare(terms["registration key"]) == node["key_fingerprint"]
    assert bare(terms["registration CA"]) == server.json("ca", "show")["fingerprint"]
    shown = login.run("nodectl status", timeout_s=120).stdout
    assert f"node-server nodes approve {node['id']}" in " ".join(shown.split()), shown
    assert_healthy(login)
    return str(node["id"])


def becomes_active(login: SshLogin, server: Server, node_id: str) -> None:
    """Nobody touches the node."""
    standing(login, "active")
    wait_until(lambda: shown(server, node_id)["state"] == "active", "the node to be heard")
    first = shown(server, node_id)
    assert first["health"]["health"] == "ok"
    wait_until(lambda: shown(server, node_id)["last_seen_at"] > first["last_seen_at"], "a second heartbeat")
    assert_healthy(login)


def assert_token_is_forgotten(machine: Machine, token: str) -> None:
    found = machine.shell.run(f"grep -rl {token} /config /etc /run/node /var/log", timeout_s=120)
    # The installation's own log and answers hold none either.
    assert found.output.split() == [], found.output
    mode = machine.shell.run("stat -c '%a %U' /config/registration/server/key.pem", check=True).output
    assert mode.split() == ["600", "root"]


def assert_facts(server: Server, node_id: str) -> None:
    wait_until(lambda: shown(server, node_id)["facts"], "the facts")
    facts = shown(server, node_id)["facts"]
    assert facts["hostname"] == "node-under-test"
    assert [disk["serial"] for disk in facts["disks"]] == [ALPHA.serial]
    assert [nic["mac"] for nic in facts["nics"]] == ["52:54:00:00:00:01"]
    assert facts["nics"][0]["addresses"][0]["netmask"] == "255.255.255.0"
    assert facts["installed"]["install_id"]
    assert facts["image"]["slot"] == "A"
    assert facts["memory"] > 0
    assert facts["cpu"]["processors"]
    assert facts["ssh_host_keys"]
    # A plugin's own, and what it found.
    assert set(facts["plugins"]["burn-in"]) == set(TRIED)
    assert set(TRIED) <= {check["name"] for check in facts["checks"]}


def keeps_what_happens(machine: Machine, login: SshLogin) -> None:
    """Two changes while nobody listens."""
    standing(login, "waiting")
    for zone in ("Europe/Prague", "Europe/Berlin"):
        machine.shell.run(f"nodectl config set locale.timezone {zone}", timeout_s=180, check=True)


def tells_it_once(server: Server, node_id: str) -> None:
    def changes() -> list[str]:
        told = shown(server, node_id)["reported"]
        return [each["words"] for each in told if "locale.timezone" in each["words"]]

    wait_until(lambda: len(changes()) == 2, "both changes")
    told = shown(server, node_id)["reported"]
    assert [each["seq"] for each in told] == list(range(1, len(told) + 1))
    assert {"installed", "started", "configuration"} <= {each["kind"] for each in told}
    seen = shown(server, node_id)["last_seen_at"]
    wait_until(lambda: shown(server, node_id)["last_seen_at"] > seen, "a heartbeat after that")
    assert len(changes()) == 2


def is_the_same_node(login: SshLogin, server: Server, node_id: str) -> None:
    """Its key outlived the restart: no token, no operator, no second node."""
    standing(login, "active")
    # With a heartbeat each 5 s a round that takes 25 s, which an emulated one may, is a silence.
    wait_until(lambda: shown(server, node_id)["state"] == "active", "the node to be heard again")
    assert [node["id"] for node in server.json("nodes", "list")] == [node_id]
    kinds = [event["kind"] for event in server.json("events", "--node", node_id, "--last", "1000")]
    assert kinds.count("enrolled") == kinds.count("approved") == kinds.count("certificate-issued") == 1
    assert "restarted" in kinds
    assert [each["kind"] for each in shown(server, node_id)["reported"]].count("started") == 2


def standing(login: SshLogin, wanted: str) -> dict[str, Any]:
    """Wait until the node stands so with its server; give its word of it, which everybody may read."""

    def word() -> dict[str, Any]:
        read = login.run("cat /run/node/registration.json").stdout
        found: dict[str, Any] = json.loads(read)["backends"]["server"] if read else {}
        return found

    wait_until(lambda: word().get("standing") == wanted, f"the node to be {wanted}", word)
    found = word()
    return {**found, "terms": dict(found["terms"])}


def shown(server: Server, node_id: str) -> dict[str, Any]:
    return dict(server.json("nodes", "show", node_id))


def bare(fingerprint: str) -> str:
    return re.sub("[^0-9a-f]", "", fingerprint.removeprefix("SHA256:"))
