"""A log server as one word: `tls://log.example.org:6514`."""

from __future__ import annotations

import re
from dataclasses import dataclass

from node.model.host_name import host_fault
from node.model.near import nearest

# RFC 5426 (UDP), RFC 6587 (TCP has no port of its own), RFC 5425 (TLS).
PORTS = {"udp": 514, "tcp": 514, "tls": 6514}
_FORM = re.compile(
    r"(?:(?P<protocol>[A-Za-z]+)://)?(?:\[(?P<v6>[0-9A-Fa-f:.]+)\]|(?P<host>[^\[\]:/]+))(?::(?P<port>\d{1,5}))?/?"
)


@dataclass(frozen=True)
class Target:
    """Where messages go."""

    protocol: str
    host: str
    port: int

    def __str__(self) -> str:
        """Give it as the answers have it, with all its parts."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.protocol}://{host}:{self.port}"


class TargetError(ValueError):
    """Not a log server; the message says why."""


def target_of(text: str) -> Target:
    """Read one; UDP and the protocol's own port where it names none. TargetError where it is none."""
    match = _FORM.fullmatch(text)
    if not match:
        raise TargetError(f"'{text}' is not a log server")
    protocol = (match["protocol"] or "udp").lower()
    if protocol not in PORTS:
        near = nearest(protocol, PORTS)
        hint = f"; did you mean {near}?" if near else ""
        raise TargetError(f"'{protocol}' is none of {', '.join(PORTS)}{hint}")
    host = match["v6"] or match["host"]
    if fault := host_fault(host):
        raise TargetError(fault)
    port = int(match["port"] or PORTS[protocol])
    if not 0 < port < 1 << 16:
        raise TargetError(f"{port} is not a port")
    return Target(protocol, host, port)
