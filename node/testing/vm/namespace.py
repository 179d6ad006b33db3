"""A network of its own with a real DHCP server, for what QEMU's built-in one can't do (root only).

A switch with the machine's cards on it, VLANs if asked for, and dnsmasq, which tells BIOS, UEFI and HTTP
clients and iPXE apart, as a site's server would; files come from one folder over TFTP and from ``http_url``
over HTTP.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from node.testing.vm.console import MachineFailure
from node.testing.vm.machine import end_process, end_with_parent
from node.testing.vm.spec import TapNetwork

ADDRESS = "10.77.0.1"
SWITCH = "vmswitch"
START_LIMIT_S = 10.0


class DhcpNamespace:
    """A network namespace with a switch of tap devices and dnsmasq; all of it is gone after the block.

    ``cards`` is the number of taps. ``vlans`` gives the host's address with its prefix in each tagged VLAN.
    ``ipxe`` is what iPXE is told to fetch: a file of the TFTP root or an http:// URL.
    """

    def __init__(
        self,
        *,
        tftp_root: Path,
        http_url: str = f"http://{ADDRESS}:8080",
        cards: int = 1,
        vlans: Mapping[int, str] | None = None,
        ipxe: str = "boot.ipxe",
    ) -> None:
        self.name = f"vm{os.getpid()}"
        self.tftp_root = tftp_root
        self.http_url = http_url
        self.cards = cards
        self.vlans = dict(vlans or {})
        self.ipxe = ipxe
        self._folder = Path(tempfile.mkdtemp(prefix="vm-dhcp-"))
        self._log = self._folder / "dnsmasq.log"
        self._processes: list[subprocess.Popen[bytes]] = []

    @property
    def network(self) -> TapNetwork:
        """What the first Nic takes."""
        return self.card(0)

    def card(self, number: int) -> TapNetwork:
        """What the Nic of this number takes, from 0 on."""
        return TapNetwork(namespace=self.name, interface=f"vmtap{number}")

    def run_inside(self, *argv: str) -> tuple[str, ...]:
        """The command line that runs ``argv`` in the namespace."""
        return "ip", "netns", "exec", self.name, *argv

    def log(self) -> str:
        """What dnsmasq said: each lease, each file that was sent."""
        return self._log.read_text(errors="replace")

    def __enter__(self) -> Self:
        try:
            _run("ip", "netns", "add", self.name)
            for words in link_commands(cards=self.cards, vlans=self.vlans):
                _run("ip", "-n", self.name, *words.split())
            config = self._folder / "dnsmasq.conf"
            config.write_text(
                dnsmasq_config(tftp_root=self.tftp_root, http_url=self.http_url, ipxe=self.ipxe)
            )
            for vlan in self.vlans:
                relay = (sys.executable, "-m", "node.testing.vm.vlan", f"vmtrunk{vlan}", f"vmvlan{vlan}")
                self._start(*relay, str(vlan), log=self._folder / f"vlan{vlan}.log", ready="carrying")
            self._start("dnsmasq", "-k", "-C", str(config), log=self._log, ready="started")
        except BaseException:
            self._clear()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._clear()

    def _start(self, *argv: str, log: Path, ready: str) -> None:
        with log.open("wb") as output:
            process = subprocess.Popen(
                self.run_inside(*argv),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                preexec_fn=end_with_parent,  # noqa: PLW1509 - it calls nothing but prctl
            )
        self._processes.append(process)
        deadline = time.monotonic() + START_LIMIT_S
        while ready not in (said := log.read_text(errors="replace")):
            if process.poll() is not None or time.monotonic() > deadline:
                raise MachineFailure(f"{argv[0]} didn't start: {said}")
            time.sleep(0.05)

    def _clear(self) -> None:
        for process in self._processes:
            end_process(process)
        self._processes.clear()
        subprocess.run(("ip", "netns", "del", self.name), capture_output=True, check=False)
        shutil.rmtree(self._folder, ignore_errors=True)


def link_commands(*, cards: int, vlans: Mapping[int, str]) -> tuple[str, ...]:
    """Give the words for ``ip`` that make the switch, its ports and the host's addresses."""
    ports = (*(f"vmtap{number}" for number in range(cards)), *(f"vmtrunk{vlan}" for vlan in vlans))
    # Without a delay a port forwards at once, and without snooping router advertisements come through.
    return (
        f"link add {SWITCH} type bridge forward_delay 0 mcast_snooping 0",
        *(f"tuntap add {port} mode tap" for port in ports),
        *(f"link set {port} master {SWITCH} up" for port in ports),
        f"addr add {ADDRESS}/24 dev {SWITCH}",
        f"addr add fd77::1/64 dev {SWITCH} nodad",
        f"link set {SWITCH} up",
        "link set lo up",
        *(f"tuntap add vmvlan{vlan} mode tap" for vlan in vlans),
        *(f"addr add {address} dev vmvlan{vlan}" for vlan, address in vlans.items()),
        *(f"link set vmvlan{vlan} up" for vlan in vlans),
    )


def dnsmasq_config(*, tftp_root: Path, http_url: str, ipxe: str = "boot.ipxe") -> str:
    """One configuration for all clients: architecture (RFC 4578) and iPXE's user class decide the file."""
    return f"""port=0
bind-dynamic
interface={SWITCH}
no-ping
dhcp-authoritative
leasefile-ro
user=root
log-facility=-
log-dhcp
dhcp-range=10.77.0.50,10.77.0.99,10m
dhcp-range=fd77::,ra-only
enable-ra
enable-tftp
tftp-root={tftp_root}
dhcp-match=set:bios,option:client-arch,0
dhcp-match=set:efi,option:client-arch,7
dhcp-match=set:efi,option:client-arch,9
dhcp-match=set:http,option:client-arch,16
dhcp-userclass=set:ipxe,iPXE
dhcp-boot=tag:ipxe,{ipxe}
dhcp-boot=tag:!ipxe,tag:bios,pxelinux.0
dhcp-boot=tag:!ipxe,tag:efi,shimx64.efi
dhcp-boot=tag:http,{http_url}/node.iso
dhcp-option-force=tag:http,60,HTTPClient
"""


def _run(*argv: str) -> None:
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    if done.returncode:
        raise MachineFailure(f"{' '.join(argv)}: {done.stderr.strip()}")
