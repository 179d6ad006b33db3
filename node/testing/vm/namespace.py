"""A network of its own with a real DHCP server, for what QEMU's built-in one can't do (root only).

dnsmasq tells BIOS, UEFI and HTTP clients and iPXE apart, as a site's server would; files come from one folder
over TFTP and from ``http_url`` over HTTP.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from node.testing.vm.console import MachineFailure
from node.testing.vm.machine import end_process, end_with_parent
from node.testing.vm.spec import TapNetwork

ADDRESS = "10.77.0.1"
TAP = "vmtap0"


class DhcpNamespace:
    """A network namespace with a tap device and dnsmasq; all of it is gone after the block."""

    def __init__(self, *, tftp_root: Path, http_url: str = f"http://{ADDRESS}:8080") -> None:
        self.name = f"vm{os.getpid()}"
        self.tftp_root = tftp_root
        self.http_url = http_url
        self._folder = Path(tempfile.mkdtemp(prefix="vm-dhcp-"))
        self._log = self._folder / "dnsmasq.log"
        self._dnsmasq: subprocess.Popen[bytes] | None = None

    @property
    def network(self) -> TapNetwork:
        """What a Nic takes."""
        return TapNetwork(namespace=self.name, interface=TAP)

    def run_inside(self, *argv: str) -> tuple[str, ...]:
        """The command line that runs ``argv`` in the namespace."""
        return "ip", "netns", "exec", self.name, *argv

    def log(self) -> str:
        """What dnsmasq said: each lease, each file that was sent."""
        return self._log.read_text(errors="replace")

    def __enter__(self) -> Self:
        try:
            _run("ip", "netns", "add", self.name)
            for words in (
                f"tuntap add {TAP} mode tap",
                f"addr add {ADDRESS}/24 dev {TAP}",
                f"addr add fd77::1/64 dev {TAP} nodad",
                f"link set {TAP} up",
                "link set lo up",
            ):
                _run("ip", "-n", self.name, *words.split())
            config = self._folder / "dnsmasq.conf"
            config.write_text(dnsmasq_config(tftp_root=self.tftp_root, http_url=self.http_url))
            with self._log.open("wb") as log:
                self._dnsmasq = subprocess.Popen(
                    self.run_inside("dnsmasq", "-k", "-C", str(config)),
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    preexec_fn=end_with_parent,  # noqa: PLW1509 - it calls nothing but prctl
                )
            deadline = time.monotonic() + 5
            while "started" not in self.log():
                if self._dnsmasq.poll() is not None or time.monotonic() > deadline:
                    raise MachineFailure(f"dnsmasq didn't start: {self.log()}")
                time.sleep(0.05)
        except BaseException:
            self._clear()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._clear()

    def _clear(self) -> None:
        if self._dnsmasq:
            end_process(self._dnsmasq)
        subprocess.run(("ip", "netns", "del", self.name), capture_output=True, check=False)
        shutil.rmtree(self._folder, ignore_errors=True)


def dnsmasq_config(*, tftp_root: Path, http_url: str) -> str:
    """One configuration for all clients: architecture (RFC 4578) and iPXE's user class decide the file."""
    return f"""port=0
bind-dynamic
interface={TAP}
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
dhcp-boot=tag:ipxe,boot.ipxe
dhcp-boot=tag:!ipxe,tag:bios,pxelinux.0
dhcp-boot=tag:!ipxe,tag:efi,shimx64.efi
dhcp-boot=tag:http,{http_url}/node.iso
dhcp-option-force=tag:http,60,HTTPClient
"""


def _run(*argv: str) -> None:
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    if done.returncode:
        raise MachineFailure(f"{' '.join(argv)}: {done.stderr.strip()}")
