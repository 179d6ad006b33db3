"""Runs in namespaces of its own: networkd with a bridge over two cards, and a change that is taken back.

Started by test_network_change.py as `unshare --net --mount python network_change.py`; prints what it saw.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from node.agent.changes import compare
from node.agent.places import Places
from node.agent.work import backward, forward, link_names, perform, perform_as_far_as_possible
from node.model.netplan import to_yaml
from node.model.state import RenderedFile
from node.system.commands import LiveCommands

NETPLAN = "/etc/netplan/90-nodecrust.yaml"
NET = Path("/sys/class/net")
LIVE = (("netplan", "generate"), ("networkctl", "reload"))
CARDS = ("m0", "m1")


def sh(*argv: object) -> None:
    subprocess.run([str(word) for word in argv], check=True)


def rendered(*, stp: bool | None) -> RenderedFile:
    """Give the file for a bridge with or without STP, or for no bridge."""
    document = {
        "version": 2,
        "ethernets": {card: {"link-local": []} for card in CARDS},
        "bridges": {
            "br0": {
                "interfaces": list(CARDS),
                "addresses": ["192.0.2.1/24"],
                "link-local": [],
                "parameters": {"stp": stp, "forward-delay": 4},
            }
        },
    }
    if stp is None:
        del document["bridges"]
    return RenderedFile(NETPLAN, to_yaml(document), mode=0o600, live=LIVE, on_trial=True)


def seen() -> dict[str, Any]:
    bridge = NET / "br0/bridge"
    return {
        "stp": (bridge / "stp_state").read_text().strip() if bridge.exists() else None,
        "members": sorted(each.name for each in (NET / "br0/brif").glob("*")),
        "index": (NET / "br0/ifindex").read_text().strip() if bridge.exists() else None,
        "address": "192.0.2.1/24"
        in subprocess.run(["ip", "-o", "addr"], capture_output=True, text=True, check=True).stdout,
    }


def settled(stp: str) -> dict[str, Any]:
    """Give what is seen once it is as it should be, at the latest after some seconds."""
    deadline = time.monotonic() + 10
    while (found := seen()) != {**found, "stp": stp, "members": list(CARDS), "address": True}:
        if time.monotonic() > deadline:
            break
        time.sleep(0.2)
    return found


def prepare() -> list[subprocess.Popen[bytes]]:
    sh("mount", "--make-rprivate", "/")
    for folder in ("/run", "/etc/netplan"):
        Path(folder).mkdir(exist_ok=True)
        sh("mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", folder)
    # Where /sys is read-only networkd waits for no udev.
    sh("mount", "-t", "sysfs", "-o", "ro", "sysfs", "/sys")
    for folder in ("dbus", "systemd/netif/links", "systemd/netif/leases", "systemd/netif/lldp"):
        Path("/run", folder).mkdir(parents=True)
    sh("chown", "-R", "systemd-network", "/run/systemd/netif")
    sh("ip", "link", "set", "lo", "up")
    for number, card in enumerate(CARDS):
        sh("ip", "link", "add", card, "type", "veth", "peer", "name", f"p{number}")
        sh("ip", "link", "set", f"p{number}", "up")
    bus = subprocess.Popen(["dbus-daemon", "--system", "--nofork", "--nopidfile"])
    while not Path("/run/dbus/system_bus_socket").exists():
        time.sleep(0.05)
    Path(NETPLAN).touch(mode=0o600)
    Path(NETPLAN).write_text(rendered(stp=False).contents)
    sh("netplan", "generate")
    return [subprocess.Popen(["/lib/systemd/systemd-networkd"], stderr=subprocess.DEVNULL), bus]


def main() -> None:
    running = prepare()
    try:
        stages = {"before": settled("0")}
        changes = compare(
            [rendered(stp=False)], [rendered(stp=True)], root=Path("/"), image=Path("/nonexistent")
        )
        commands, links = LiveCommands(), link_names(NET)
        perform(forward(changes, (), links), Places(), commands)
        stages["changed"] = settled("1")
        failures = perform_as_far_as_possible(backward(changes, (), links), Places(), commands)
        stages["taken back"] = settled("0")
        # A card whose bridge goes tries to join it once more, and must be in the next one all the same.
        changes = compare(
            [rendered(stp=False)], [rendered(stp=None)], root=Path("/"), image=Path("/nonexistent")
        )
        links = link_names(NET)
        perform(forward(changes, (), links), Places(), commands)
        gone = seen()
        failures += perform_as_far_as_possible(backward(changes, (), links), Places(), commands)
        stages["there again"] = settled("0")
        print(json.dumps({"stages": stages, "gone": gone, "failures": failures}))
    finally:
        for process in running:
            process.terminate()
            process.wait(10)


if __name__ == "__main__":
    assert shutil.which("netplan")
    sys.exit(main())
