"""The section `network` of the answers."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Any, ClassVar

from pydantic import Field, field_validator

from node.model.answers import SectionModel
from node.model.host_name import DNS_NAME_MAX, host_fault, host_name_fault, is_address
from node.model.refusal import refuse
from node.model.words import Lines, Words


class NetworkAnswers(SectionModel):
    """The network, on the installer and on the node alike."""

    key: ClassVar[str] = "network"
    persists: ClassVar[bool] = True

    hostname: str = Field(
        default="", description="Host name, short or with its domain. Empty: DHCP may give one."
    )
    netplan: dict[str, Any] = Field(
        default_factory=dict,
        description="What stands below `network:` in a netplan file. Empty: DHCP on every Ethernet card. "
        "DHCP identifies by MAC wherever `dhcp-identifier` is left out.",
    )
    dns: Words = Field(
        default=(),
        description="Addresses of name servers for all interfaces, beside those that netplan or DHCP gives.",
    )
    search: Words = Field(default=(), description="Domains to complete short names with, on all interfaces.")
    ntp: Words = Field(
        default=(), description="Names or addresses of time servers, for timesyncd or, where it is, chrony."
    )
    hosts: Lines = Field(
        default=(), description="Own lines of /etc/hosts: an address and the names of a host, by spaces."
    )

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
            if not is_address(server):
                raise refuse(
                    "dns-invalid", f"'{server}' is not an address", "Write addresses such as 192.0.2.53"
                )
        return servers

    @field_validator("search")
    @classmethod
    def _check_search(cls, domains: tuple[str, ...]) -> tuple[str, ...]:
        for domain in domains:
            if fault := host_name_fault(domain.removesuffix("."), longest=DNS_NAME_MAX):
                raise refuse("search-domain-invalid", fault, "Write domains such as example.org")
        return domains

    @field_validator("ntp")
    @classmethod
    def _check_ntp(cls, servers: tuple[str, ...]) -> tuple[str, ...]:
        for server in servers:
            if fault := host_fault(server):
                raise refuse("ntp-invalid", fault, "Write a name or an address, such as ntp.example.org")
        return servers

    @field_validator("hosts")
    @classmethod
    def _check_hosts(cls, lines: tuple[str, ...]) -> tuple[str, ...]:
        for number, line in enumerate(lines, start=1):
            if fault := hosts_fault(line):
                raise refuse(
                    "hosts-line-invalid", f"line {number}: {fault}", "Write a line such as 192.0.2.5 node2"
                )
        return tuple(" ".join(line.split()) for line in lines)


def hosts_fault(line: str) -> str:
    """Say what keeps a line from being an entry of /etc/hosts (hosts(5)), "" where nothing does."""
    address, *names = line.split() or [""]
    if "\n" in line.strip() or not is_address(address):
        return f"'{address}' is not an address; an entry is one line that begins with one"
    if not names:
        return f"no name follows {address}"
    for name in names:
        if fault := host_name_fault(name, longest=DNS_NAME_MAX):
            return fault
        if name == "localhost" and not ip_address(address).is_loopback:
            return f"localhost is this machine itself, and {address} is not"
    return ""
