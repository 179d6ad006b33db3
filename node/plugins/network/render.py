"""The files of /etc that make the network."""

from __future__ import annotations

from node.model.netplan import to_yaml
from node.model.state import RenderedFile
from node.plugins.network.answers import NetworkAnswers
from node.plugins.network.document import completed, with_mac_of_port

HEADER = "# Made by nodectl at every boot from /config/node.yaml; a change here is lost.\n"

# The client's identity of DHCPv6 comes from the machine-id by default, which the initrd doesn't have, and
# netplan's schema has no word for it (networkd.conf(5)). `dhcp-identifier` is that of IPv4.
_DUID = "[DHCPv6]\nDUIDType=link-layer\n"
_NETWORKD = (("netplan", "generate"), ("networkctl", "reload"))
_RESOLVED = (("systemctl", "try-reload-or-restart", "systemd-resolved.service"),)
# A pattern that fits no unit is no failure: an image has one of the two.
_TIMESYNCD = (("systemctl", "try-restart", "systemd-timesyncd*.service"),)
_CHRONY = (("systemctl", "try-restart", "chrony*.service"),)


def rendered(network: NetworkAnswers) -> tuple[RenderedFile, ...]:
    """Give the files, drop-ins for the name and time servers only where there are any."""
    files = [
        _hostname(network.hostname),
        RenderedFile("/etc/hosts", _hosts(network), live=()),
        # A document may hold secrets (802.1X, WPA), and netplan 0.107 and newer warns of any wider mode.
        RenderedFile(
            "/etc/netplan/90-nodecrust.yaml",
            HEADER + to_yaml(completed(network.netplan)),
            mode=0o600,
            live=_NETWORKD,
            on_trial=True,
        ),
        RenderedFile("/etc/systemd/networkd.conf.d/90-nodecrust.conf", HEADER + _DUID),
    ]
    for name in with_mac_of_port(network.netplan):
        files += _mac_of_port(name)
    resolve = "".join(
        f"{key}={' '.join(words)}\n"
        for key, words in (("DNS", network.dns), ("Domains", network.search))
        if words
    )
    if resolve:
        path = "/etc/systemd/resolved.conf.d/90-nodecrust.conf"
        files.append(RenderedFile(path, f"{HEADER}[Resolve]\n{resolve}", live=_RESOLVED))
    if network.ntp:
        text = f"{HEADER}[Time]\nNTP={' '.join(network.ntp)}\n"
        path = "/etc/systemd/timesyncd.conf.d/90-nodecrust.conf"
        files.append(RenderedFile(path, text, live=_TIMESYNCD))
        # Debian's chrony reads this folder beside its own pool; the servers named here win where they answer.
        text = HEADER + "".join(f"server {server} iburst prefer\n" for server in network.ntp)
        files.append(RenderedFile("/etc/chrony/sources.d/90-nodecrust.sources", text, live=_CHRONY))
    return tuple(files)


def _hostname(name: str) -> RenderedFile:
    # hostname(5): comments are ignored, and a file without a name counts as none, so that DHCP may give one.
    live = (("hostname", "-F", "/etc/hostname"),) if name else None
    return RenderedFile("/etc/hostname", f"{name}\n" if name else HEADER, live=live)


def _mac_of_port(name: str) -> list[RenderedFile]:
    # networkd would make up a MAC from the machine-id, which the initrd doesn't have: another lease.
    texts = {
        f"/etc/systemd/network/10-netplan-{name}.netdev.d/nodecrust.conf": "[NetDev]\nMACAddress=none\n",
        f"/etc/systemd/network/10-nodecrust-{name}.link": (
            f"[Match]\nOriginalName={name}\n\n[Link]\nMACAddressPolicy=none\n"
        ),
    }
    return [RenderedFile(path, HEADER + text, live=_NETWORKD, on_trial=True) for path, text in texts.items()]


def _hosts(network: NetworkAnswers) -> str:
    name = network.hostname
    short, _, domain = name.partition(".")
    own = f"127.0.1.1 {name} {short}\n" if domain else f"127.0.1.1 {name}\n"
    # The first line of a name is the one that counts, so an operator's own one for this node stands alone.
    is_given = any(name in line.split()[1:] for line in network.hosts)
    lines = "".join(f"{line}\n" for line in network.hosts)
    return (
        f"{HEADER}127.0.0.1 localhost\n"
        f"{own if name and not is_given else ''}"
        "::1 localhost ip6-localhost ip6-loopback\n"
        "ff02::1 ip6-allnodes\n"
        "ff02::2 ip6-allrouters\n"
        f"{lines}"
    )
