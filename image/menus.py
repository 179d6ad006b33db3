"""What the boot loaders are told: one set of kernel arguments, rendered for each of them."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, replace

import jinja2

from node.errors import InputError
from node.plugins.bootloader.arguments import words
from node.plugins.bootloader.grub import quote

# Long enough to press a key, short enough for a rack of machines.
DEFAULT_TIMEOUT_S = 2

_templates = jinja2.Environment(
    loader=jinja2.PackageLoader("image"),
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
    autoescape=False,  # noqa: S701 - menus of boot loaders, no HTML
)


@dataclass(frozen=True)
class Boot:
    """What every menu needs: the ISO's label, the root's digest and length, further kernel arguments."""

    label: str
    sha256: str
    size: int
    append: str
    timeout_s: int
    title: str

    def with_append(self, more: str) -> Boot:
        """The same with further kernel arguments at the end. Raises InputError where they are no line."""
        if not more.isprintable():
            raise InputError("kernel arguments must be one printable line")
        return replace(self, append=" ".join(filter(None, (self.append, more))))


def _for_grub(append: str) -> str:
    """Further kernel arguments as GRUB's shell takes them: a `$` of a password's hash is its own."""
    return " ".join(word if "${base}" in word else quote(word) for word in words(append))


def kernel_arguments(boot: Boot, image: str) -> str:
    """The kernel arguments that start a node from an image: a URL or `LABEL=...`."""
    words = [
        f"node.image={image}",
        f"node.image.sha256={boot.sha256}",
        # The disk's partitions are ours to find: systemd would mount what it takes for a root.
        "rd.systemd.gpt_auto=0",
        # The last one is where the system's own words go; the kernel's go to both.
        "console=tty0",
        "console=ttyS0,115200",
        boot.append,
    ]
    return " ".join(filter(None, words))


def render(template: str, boot: Boot, *, image: str, base_url: str | None = None) -> str:
    """One loader's configuration.

    `base_url` ends in a slash, or is None where the loader itself finds the server.
    """
    return _templates.get_template(template).render(
        title=boot.title,
        label=boot.label,
        timeout_s=boot.timeout_s,
        base_url=base_url,
        arguments=kernel_arguments(boot, image),
        grub_arguments=kernel_arguments(replace(boot, append=_for_grub(boot.append)), image),
    )


# Enough for a bench; a real network has a DHCP server of its own.
_LEASES = 100


def render_dhcp(interface: str, network: ipaddress.IPv4Interface, *, http_port: int) -> str:
    """Dnsmasq's configuration for one interface: leases out of its network, the upper half of it."""
    hosts = [host for host in network.network.hosts() if host > network.ip][-_LEASES:]
    if not hosts:
        hosts = [host for host in network.network.hosts() if host != network.ip][-_LEASES:]
    return _templates.get_template("dnsmasq.conf.j2").render(
        interface=interface,
        first=hosts[0],
        last=hosts[-1],
        netmask=network.netmask,
        server=network.ip,
        http_port=http_port,
    )
