"""The section `network` of the answers."""

from __future__ import annotations

import re
from ipaddress import ip_address
from typing import Annotated, Any, ClassVar

from pydantic import BeforeValidator, Field, field_validator

from node.model.answers import SectionModel
from node.model.refusal import refuse

# RFC 1123, section 2.1: letters, digits and inner hyphens, 63 a label. Linux holds 64 in all (HOST_NAME_MAX).
_LABEL = re.compile(r"(?!-)[A-Za-z0-9-]{1,63}(?<!-)")
_HOST_NAME_MAX = 64
_DNS_NAME_MAX = 253


def _words(value: Any) -> Any:
    """Take `a,b c` for a list of three, as kernel arguments and old profiles write it."""
    return (
        tuple(re.split(r"[,\s]+", value.strip())) if isinstance(value, str) and value.strip() else value or ()
    )


Words = Annotated[tuple[str, ...], BeforeValidator(_words)]


def host_name_fault(name: str, *, longest: int = _HOST_NAME_MAX) -> str:
    """Say what keeps `name` from being a host name, "" where nothing does."""
    if len(name) > longest:
        return f"'{name}' has {len(name)} characters; a host name has {longest} at most"
    labels = name.split(".")
    for label in labels:
        if not _LABEL.fullmatch(label):
            return f"'{name}' is not a host name: '{label}' is no label of letters, digits and inner hyphens"
    if labels[-1].isdigit():
        return f"'{name}' is not a host name: its last part is a number, so it reads as an address"
    return ""


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


class NetworkAnswers(SectionModel):
    """The network, on the installer and on the node alike."""

    key: ClassVar[str] = "network"
    persists: ClassVar[bool] = True

    hostname: str = Field(
        default="", description="Host name, short or with its domain. Empty: DHCP may give one."
    )
    netplan: dict[str, Any] = Field(
        default_factory=dict,
        description="What stands below `network:` in a netplan file. Empty: DHCP on every Ethernet card.",
    )
    dns: Words = Field(default=(), description="Addresses of name servers for all interfaces.")
    ntp: Words = Field(default=(), description="Names or addresses of time servers.")

    @field_validator("hostname")
    @classmethod
    def _check_hostname(cls, name: str) -> str:
        if name and (fault := host_name_fault(name)):
            raise refuse("host-name-invalid", fault, "Write a name such as node1 or node1.example.org")
        return name

    @field_validator("netplan", mode="before")
    @classmethod
    def _check_netplan(cls, document: Any) -> Any:
        if not isinstance(document, dict):
            return {} if document is None else document
        if "network" in document:
            raise refuse(
                "netplan-nested",
                "it begins with 'network'",
                "Leave that level out: write what stands below `network:` in a netplan file",
            )
        if (renderer := document.get("renderer", "networkd")) != "networkd":
            raise refuse(
                "netplan-renderer",
                f"the renderer '{renderer}' is not in the image",
                "Leave `renderer` out; netplan is rendered to systemd-networkd",
            )
        return document

    @field_validator("dns")
    @classmethod
    def _check_dns(cls, servers: tuple[str, ...]) -> tuple[str, ...]:
        for server in servers:
            if not _is_address(server):
                raise refuse(
                    "dns-invalid", f"'{server}' is not an address", "Write addresses such as 192.0.2.53"
                )
        return servers

    @field_validator("ntp")
    @classmethod
    def _check_ntp(cls, servers: tuple[str, ...]) -> tuple[str, ...]:
        for server in servers:
            if not _is_address(server) and (fault := host_name_fault(server, longest=_DNS_NAME_MAX)):
                raise refuse("ntp-invalid", fault, "Write a name or an address, such as ntp.example.org")
        return servers
