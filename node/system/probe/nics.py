"""Physical network cards."""

from __future__ import annotations

import fcntl
import ipaddress
import socket
import struct
from pathlib import Path

from node.model.inventory import Nic
from node.system import udev

_ETHERNET = 1  # ARPHRD_ETHER, linux/if_arp.h
_SIOCETHTOOL, _ETHTOOL_GPERMADDR = 0x8946, 0x20  # linux/sockios.h, linux/ethtool.h
_SIOCGIFADDR, _SIOCGIFNETMASK = 0x8915, 0x891B
_NAME_SIZE = 16  # IFNAMSIZ


def find_nics(*, sys: Path = Path("/sys"), proc: Path = Path("/proc")) -> tuple[Nic, ...]:
    """Give the Ethernet cards that hang on a bus, by name; bridges, bonds and VLANs are none.

    FileNotFoundError where the kernel shows no cards at all, as in a container.
    """
    if not (sys / "class/net").is_dir():
        raise FileNotFoundError(f"{sys / 'class/net'} is not there: is this a container?")
    found = []
    for folder in sorted((sys / "class/net").glob("*")):
        if not (folder / "device").exists() or _read(folder / "type") != str(_ETHERNET):
            continue
        device = (folder / "device").resolve()
        speed = _read(folder / "speed")
        carrier = _read(folder / "carrier")
        found.append(
            Nic(
                name=folder.name,
                mac=_read(folder / "address"),
                permanent_mac=_permanent_mac(folder.name),
                driver=(folder / "device/driver").resolve().name
                if (folder / "device/driver").exists()
                else "",
                model=_model(device),
                link=carrier == "1" if carrier else None,
                # The driver says -1 or a huge number where there is no link.
                speed_mbps=int(speed) if speed.isdigit() and int(speed) < 2**31 - 1 else None,
                addresses=(*_ipv4(folder.name), *_ipv6(folder.name, proc)),
                bus_path=device.name,
            )
        )
    return tuple(found)


def _model(device: Path) -> str:
    """Give udev's words for a card from its hardware database, else its numbers."""
    known = udev.properties_at(device)
    words = f"{known.get('ID_VENDOR_FROM_DATABASE', '')} {known.get('ID_MODEL_FROM_DATABASE', '')}".strip()
    if words:
        return words
    numbers = [_read(device / name).removeprefix("0x") for name in ("vendor", "device")]
    return ":".join(numbers) if all(numbers) else ""


def _read(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return ""


def _permanent_mac(name: str) -> str:
    """Give the address burnt into the card (a bond changes the other); "" where the driver can't tell."""
    size = 32
    # struct ethtool_perm_addr {u32 cmd; u32 size; u8 data[]}, passed by pointer in struct ifreq.
    import array  # noqa: PLC0415 - for this alone

    buffer = array.array("B", struct.pack("II", _ETHTOOL_GPERMADDR, size) + bytes(size))
    request = struct.pack("16sP", name.encode()[: _NAME_SIZE - 1], buffer.buffer_info()[0])
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as channel:
            fcntl.ioctl(channel, _SIOCETHTOOL, request)
    except OSError:
        return ""
    length = struct.unpack("II", buffer[:8].tobytes())[1]
    address = buffer[8 : 8 + length].tobytes()
    return address.hex(":") if any(address) else ""


def _ipv4(name: str) -> tuple[str, ...]:
    request = struct.pack("16s24x", name.encode()[: _NAME_SIZE - 1])
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as channel:
            address = fcntl.ioctl(channel, _SIOCGIFADDR, request)[20:24]
            mask = fcntl.ioctl(channel, _SIOCGIFNETMASK, request)[20:24]
    except OSError:
        return ()
    return (f"{socket.inet_ntoa(address)}/{int.from_bytes(mask, 'big').bit_count()}",)


def _ipv6(name: str, proc: Path) -> tuple[str, ...]:
    """Give them from /proc/net/if_inet6: address, index, prefix length, scope, flags, name."""
    try:
        lines = (proc / "net/if_inet6").read_text().splitlines()
    except OSError:
        return ()
    fields = (line.split() for line in lines)
    return tuple(
        f"{ipaddress.IPv6Address(bytes.fromhex(words[0]))}/{int(words[2], 16)}"
        for words in fields
        if len(words) == 6 and words[5] == name
    )
