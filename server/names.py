"""By which names and addresses nodes may know this machine, and where it listens."""

from __future__ import annotations

import contextlib
import json
import re
import socket
import subprocess
from collections.abc import Sequence
from ipaddress import ip_address

from node.errors import InputError

DEFAULT_PORT = 8443
_ADDRESS = re.compile(r"(?:\[(?P<v6>[^]]+)\]|(?P<host>[^:]*))(?::(?P<port>\d{1,5}))?")
_DNS = re.compile(r"(?=.{1,253}$)(?!-)[A-Za-z0-9_-]{1,63}(?:\.[A-Za-z0-9_-]{1,63})*")


def read_listen(text: str) -> tuple[str, int]:
    """Read ADDR, ADDR:PORT, [V6]:PORT or :PORT; InputError for what is none of them."""
    match = _ADDRESS.fullmatch(text)
    # A bare IPv6 address has colons, but no port.
    if match is None and _is_address(text):
        match = _ADDRESS.fullmatch(f"[{text}]")
    port = int(match["port"] or DEFAULT_PORT) if match else 0
    if match is None or port > 65535:
        raise InputError(f"--listen {text!r} is no address", mend="as in 0.0.0.0:8443, :8443 or [::]:8443")
    return match["v6"] or match["host"] or "0.0.0.0", port  # noqa: S104 - that is what it is for


def names_of_server(listen: str, more: Sequence[str]) -> list[str]:
    """Give what the server's certificate is made out to: this machine's names and addresses, and `more`.

    InputError where one of `more` is neither a host name nor an address.
    """
    require_hosts("--name", more)
    names = ["localhost", "127.0.0.1", "::1", socket.gethostname(), socket.getfqdn(), *more]
    names += _addresses() if not _is_address(listen) or ip_address(listen).is_unspecified else [listen]
    return list(dict.fromkeys(name for name in names if _is_address(name) or _DNS.fullmatch(name)))


def require_hosts(option: str, hosts: Sequence[str]) -> None:
    """Raise InputError where one is neither a host name nor an address."""
    for host in hosts:
        if not _is_address(host) and not _DNS.fullmatch(host):
            raise InputError(f"{option} {host!r} is neither a host name nor an address")


def listen_on(address: str, port: int) -> socket.socket:
    """Give the listening socket; IPv6's any address takes IPv4 too. InputError where it isn't to be had."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    # With its protocol named, asyncio takes it for TCP and switches Nagle's algorithm off: 40 ms a request.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, int(address != "::"))
        listener.bind((address, port))
        listener.listen(2048)
    except OSError as error:
        listener.close()
        raise InputError(
            f"can't listen on {address} port {port}: {error.strerror or error}",
            mend="name a free port by --listen ADDR:PORT; ports under 1024 need root",
        ) from error
    return listener


def _addresses() -> list[str]:
    """Give this machine's own addresses; none where they can't be read."""
    with contextlib.suppress(OSError, ValueError, subprocess.SubprocessError):
        said = subprocess.run(
            ["ip", "-json", "address", "show", "up"], capture_output=True, check=True, timeout=10
        ).stdout
        entries = [entry for link in json.loads(said) for entry in link.get("addr_info", ())]
        return [entry["local"] for entry in entries if entry.get("scope") == "global"]
    return []


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
