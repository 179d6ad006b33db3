"""A recorded node, as files below a folder and what its programs say."""

from __future__ import annotations

import json
from pathlib import Path

from node.errors import CommandFailedError
from node.model.system import Completed

MOUNTS = """\
22 1 0:20 / / rw,relatime shared:1 - overlay overlay rw,lowerdir=/run/node/lower
23 22 0:21 / /run rw,nosuid shared:2 - tmpfs tmpfs rw,size=20%
24 23 254:4 / /run/node/lower ro,relatime - squashfs /dev/vda4 ro
25 22 254:7 / /config rw,relatime shared:3 - ext4 /dev/vda7 rw
26 22 254:8 / /var/log rw,relatime shared:4 - ext4 /dev/vda8 rw
27 22 254:9 / /data rw,relatime shared:5 - ext4 /dev/vda9 rw
28 22 0:30 / /mnt/with\\040space rw - tmpfs tmpfs rw
"""
SWAPS = "Filename\tType\tSize\tUsed\tPriority\n/dev/vda6 partition 1048572 0 -2\n"
PARTITIONS = ("BIOS-GRUB", "ESP", "BOOT", "ROOT-A", "ROOT-B", "SWAP", "CONFIG", "LOGGING", "DATA")
INSTALLS = {
    "version": 1,
    "installs": [
        {"id": "before", "at": "2026-01-01T00:00:00+00:00"},
        {"id": "5d8b4a56-57c6-4e9c-9d58-0f2c8c7f4a11", "at": "2026-11-23T05:00:00+00:00"},
    ],
}
ADDRESSES = [
    {"ifname": "lo", "link_type": "loopback", "flags": ["UP", "LOWER_UP"], "addr_info": []},
    {
        "ifname": "ens3",
        "link_type": "ether",
        "address": "52:54:00:00:00:01",
        "flags": ["UP", "LOWER_UP"],
        "addr_info": [
            {"local": "192.0.2.10", "prefixlen": 24, "scope": "global"},
            {"local": "2001:db8::10", "prefixlen": 64, "scope": "global"},
            {"local": "fe80::1", "prefixlen": 64, "scope": "link"},
        ],
    },
    {
        "ifname": "ens4",
        "link_type": "ether",
        "address": "52:54:00:00:00:02",
        "flags": ["UP"],
        "addr_info": [],
    },
    {
        "ifname": "virbr0",
        "link_type": "ether",
        "address": "52:54:00:00:00:03",
        "flags": ["UP"],
        "linkinfo": {"info_kind": "bridge"},
        "addr_info": [{"local": "192.168.122.1", "prefixlen": 24, "scope": "global"}],
    },
]


def make_node(root: Path) -> Path:
    """Lay out an installed node below `root`."""
    texts = {
        "etc/hostname": "node1\n",
        "etc/ssh/ssh_host_ed25519_key.pub": "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAA root@node1\n",
        "etc/ssh/ssh_host_rsa_key.pub": "ssh-rsa broken!\n",
        "proc/uptime": "93784.5 1.0\n",
        "proc/self/mountinfo": MOUNTS,
        "proc/swaps": SWAPS,
        "run/node/image.json": json.dumps(
            {
                "source": "slot",
                "location": "PARTUUID=x",
                "path": "/dev/vda4",
                "kernel": "6.12.48",
                "sha256": "ab",
            }
        ),
        "run/node/rendered.json": json.dumps({"paths": [], "source": "current"}),
        "run/node/config-device": "/dev/vda7\n",
        "usr/lib/nodecrust/image.json": json.dumps({"name": "node", "version": "0.1.0"}),
        "config/installs.json": json.dumps(INSTALLS),
    }
    for number, role in enumerate(PARTITIONS, start=1):
        folder = f"sys/devices/vda/vda{number}"
        texts[f"{folder}/partition"] = f"{number}\n"
        texts[f"{folder}/size"] = f"{number * 2097152}\n"
        texts[f"{folder}/uevent"] = f"DEVNAME=vda{number}\nPARTNAME={role}\n"
    for name, text in texts.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    block = root / "sys/class/block"
    block.mkdir(parents=True)
    (block / "vda").symlink_to("../../devices/vda")
    for number in range(1, len(PARTITIONS) + 1):
        (block / f"vda{number}").symlink_to(f"../../devices/vda/vda{number}")
    return root


class Programs:
    """Commands of that node; `failing` names programs that fail."""

    def __init__(self, *, failed_units: str = "", failing: tuple[str, ...] = ()) -> None:
        self.failed_units = failed_units
        self.failing = failing

    def run(self, argv, **_):
        words = [str(word) for word in argv]
        if words[0] in self.failing:
            raise CommandFailedError(f"{words[0]} failed", argv=words, status=1, details="a\nlast word")
        output = {"systemctl": self.failed_units}.get(words[0], "")
        if words[:1] == ["ip"]:
            routes = [{"dst": "default", "gateway": "192.0.2.1", "dev": "ens3"}] if "-4" in words else []
            output = json.dumps(routes if "route" in words else ADDRESSES)
        if words[:1] == ["virsh"]:
            output = "a\nb\n"
        if words == ["/usr/sbin/libvirtd", "--version"]:
            output = "/usr/sbin/libvirtd (libvirt) 11.3.0\n"
        return Completed(tuple(words), 0, output, "")
