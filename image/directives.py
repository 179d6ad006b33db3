"""Which directives and options of a kickstart are honoured: everything else is refused by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

# `None`: whatever the syntax admits. Partitions go to the manifest as they stand, and the two
# that Debian has no counterpart for get a notice.
HONOURED: Mapping[str, frozenset[str] | None] = {
    "bootloader": frozenset({"--append", "--timeout"}),
    "firewall": None,
    "keyboard": frozenset({"--vckeymap", "--xlayouts"}),
    "lang": frozenset({"--addsupport"}),
    "network": frozenset(
        {
            "--activate",
            "--bondopts",
            "--bondslaves",
            "--bootproto",
            "--bridgeslaves",
            "--device",
            "--gateway",
            "--hostname",
            "--interfacename",
            "--ip",
            "--ipv6",
            "--ipv6gateway",
            "--mtu",
            "--nameserver",
            "--netmask",
            "--nodefroute",
            "--noipv4",
            "--noipv6",
            "--onboot",
            "--vlanid",
        }
    ),
    "part": None,
    "partition": None,
    "repo": frozenset({"--name"}),
    "rootpw": frozenset({"--iscrypted", "--lock", "--plaintext"}),
    "selinux": None,
    "services": frozenset({"--disabled", "--enabled"}),
    "sshkey": frozenset({"--username"}),
    "timesource": frozenset({"--ntp-disable", "--ntp-pool", "--ntp-server"}),
    "timezone": frozenset({"--isUtc", "--nontp", "--ntpservers", "--utc"}),
    "user": frozenset(
        {
            "--gecos",
            "--gid",
            "--groups",
            "--homedir",
            "--iscrypted",
            "--lock",
            "--name",
            "--password",
            "--plaintext",
            "--shell",
            "--uid",
        }
    ),
}

SECTION_OPTIONS: Mapping[str, frozenset[str]] = {
    # No recommended package is ever installed, no group exists and a failing script always ends the
    # build, so that asking for just that is granted.
    "%packages": frozenset(
        {
            "--exclude-weakdeps",
            "--excludeWeakdeps",
            "--excludedocs",
            "--inst-langs",
            "--instLangs",
            "--nobase",
            "--nocore",
        }
    ),
    "%post": frozenset({"--erroronfail", "--interpreter", "--nochroot"}),
}

# Sections that pykickstart knows and an image build has no moment for.
REFUSED_SECTIONS = (
    "%addon",
    "%anaconda",
    "%certificate",
    "%onerror",
    "%pre",
    "%pre-install",
    "%traceback",
)


def not_honoured(words: Sequence[str]) -> list[str]:
    """What of a directive, given as its words, is not honoured: the directive or its options."""
    name = words[0]
    table: Mapping[str, frozenset[str] | None] = SECTION_OPTIONS if name.startswith("%") else HONOURED
    if name not in table:
        return [name]
    honoured = table[name]
    if honoured is None:
        return []
    options = [word.partition("=")[0] for word in words[1:] if word.startswith("--")]
    return [f"{name} {option}" for option in options if option not in honoured]
