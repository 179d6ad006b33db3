"""The options of the kickstart directives that a node understands, as pykickstart's documentation has them.

Debian 13 has no pykickstart, and the image needs ten directives of it: they are read here. What image builds
read of a kickstart, pykickstart parses still.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from typing import Any, NoReturn


class OptionError(Exception):
    """A directive is not written as it should be; the words never repeat a value."""


class _Parser(argparse.ArgumentParser):
    def __init__(self, name: str) -> None:
        super().__init__(prog=name, add_help=False, allow_abbrev=False)

    def error(self, message: str) -> NoReturn:
        """Say what is wrong; argparse's words repeat what was given, which may be a password."""
        for known in ("the following arguments are required", "expected one argument"):
            if known in message:
                raise OptionError(message)
        raise OptionError("its options can't be read")


def parse(name: str, words: Sequence[str]) -> argparse.Namespace:
    """Give the options of a directive; OptionError names the ones that mean nothing here."""
    parser = _Parser(name)
    _PARSERS[name](parser)
    found, rest = parser.parse_known_args(list(words))
    strange = sorted({word.partition("=")[0] for word in rest if word.startswith("-")})
    if strange:
        raise OptionError(f"{', '.join(strange)} can't be said to a node")
    if rest:
        raise OptionError("it has more words than it takes")
    return found


def _texts(parser: argparse.ArgumentParser, *options: str, **names: str) -> None:
    for option in options:
        parser.add_argument(f"--{option}", dest=names.get(option, option.replace("-", "_")), default="")


def _flags(parser: argparse.ArgumentParser, *options: str) -> None:
    for option in options:
        parser.add_argument(f"--{option}", action="store_true")


def _rootpw(parser: argparse.ArgumentParser) -> None:
    _flags(parser, "iscrypted", "plaintext", "lock", "allow-ssh")
    parser.add_argument("password", nargs="?", default="")


def _user(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--name", required=True)
    _texts(parser, "password", "groups", "gecos", "shell", "homedir", "uid", "gid")
    _flags(parser, "iscrypted", "plaintext", "lock")


def _sshkey(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--username", required=True)
    parser.add_argument("key", nargs="+")


def _network(parser: argparse.ArgumentParser) -> None:
    _texts(
        parser, "hostname", "device", "ip", "bootproto", "vlanid", "interfacename", "bondslaves", "bondopts",
        "bridgeslaves", "nameserver", "mtu", "netmask", "gateway", "ipv6", "ipv6gateway",
        bootproto="bootProto",
    )  # fmt: skip
    parser.add_argument("--onboot", default="yes", nargs="?", const="yes")
    _flags(parser, "noipv4", "noipv6", "nodefroute", "activate", "nodns")


def _timezone(parser: argparse.ArgumentParser) -> None:
    _flags(parser, "utc", "isUtc", "nontp")
    _texts(parser, "ntpservers")
    parser.add_argument("timezone", nargs="?", default="")


def _timesource(parser: argparse.ArgumentParser) -> None:
    _texts(parser, "ntp-server", "ntp-pool")


def _lang(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("lang")


def _keyboard(parser: argparse.ArgumentParser) -> None:
    _texts(parser, "vckeymap", "xlayouts")
    parser.add_argument("keyboard", nargs="?", default="")


def _part(parser: argparse.ArgumentParser) -> None:
    _texts(parser, "size", "maxsize", "fstype", "label", "ondisk", "ondrive", "fsoptions")
    _flags(parser, "grow", "asprimary", "recommended")
    parser.add_argument("mountpoint")


def _clearpart(parser: argparse.ArgumentParser) -> None:
    _texts(parser, "drives", "disklabel")
    _flags(parser, "all", "none", "initlabel")


def _ignoredisk(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--only-use", required=True)


def _bootloader(parser: argparse.ArgumentParser) -> None:
    _texts(parser, "append", "timeout", "location", "boot-drive")


def _ending(parser: argparse.ArgumentParser) -> None:
    _flags(parser, "eject")


_PARSERS: dict[str, Callable[[argparse.ArgumentParser], Any]] = {
    "rootpw": _rootpw,
    "user": _user,
    "sshkey": _sshkey,
    "network": _network,
    "timezone": _timezone,
    "timesource": _timesource,
    "lang": _lang,
    "keyboard": _keyboard,
    "part": _part,
    "partition": _part,
    "clearpart": _clearpart,
    "ignoredisk": _ignoredisk,
    "bootloader": _bootloader,
    "reboot": _ending,
    "poweroff": _ending,
    "shutdown": _ending,
    "halt": _ending,
}
UNDERSTOOD = frozenset(_PARSERS)
