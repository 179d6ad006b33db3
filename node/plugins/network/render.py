"""The files of /etc that make the network."""

from __future__ import annotations

from node.model.netplan import to_yaml
from node.model.state import RenderedFile
from node.plugins.network.answers import NetworkAnswers
from node.plugins.network.document import completed

HEADER = "# Made by nodectl at every boot from /config/node.yaml; a change here is lost.\n"


def rendered(network: NetworkAnswers) -> tuple[RenderedFile, ...]:
    """Give the files, drop-ins for the name and time servers only where there are any."""
    files = [
        RenderedFile("/etc/hostname", _hostname(network.hostname)),
        RenderedFile("/etc/hosts", _hosts(network.hostname)),
        # A document may hold secrets (802.1X, WPA), and netplan 0.107 and newer warns of any wider mode.
        RenderedFile(
            "/etc/netplan/90-nodecrust.yaml", HEADER + to_yaml(completed(network.netplan)), mode=0o600
        ),
    ]
    if network.dns:
        text = f"{HEADER}[Resolve]\nDNS={' '.join(network.dns)}\n"
        files.append(RenderedFile("/etc/systemd/resolved.conf.d/90-nodecrust.conf", text))
    if network.ntp:
        text = f"{HEADER}[Time]\nNTP={' '.join(network.ntp)}\n"
        files.append(RenderedFile("/etc/systemd/timesyncd.conf.d/90-nodecrust.conf", text))
    return tuple(files)


def _hostname(name: str) -> str:
    # hostname(5): comments are ignored, and a file without a name counts as none, so that DHCP may give one.
    return f"{name}\n" if name else HEADER


def _hosts(name: str) -> str:
    short, _, domain = name.partition(".")
    own = f"127.0.1.1 {name} {short}\n" if domain else f"127.0.1.1 {name}\n"
    return (
        f"{HEADER}127.0.0.1 localhost\n"
        f"{own if name else ''}"
        "::1 localhost ip6-localhost ip6-loopback\n"
        "ff02::1 ip6-allnodes\n"
        "ff02::2 ip6-allrouters\n"
    )
