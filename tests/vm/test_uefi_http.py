"""UEFI HTTP Boot of the ISO, with a real DHCP server in a network namespace."""

import shutil
import subprocess
import sys

import pytest

from node.testing.vm import BootFrom, DhcpNamespace, Firmware, MachineSpec, Nic
from node.testing.vm.shell import KERNEL_ARGUMENT
from tests.vm.site import ALPHA, Site
from tests.vm.words import DEAD_ENDS, PLAN, ROOT_MOUNTED

pytestmark = pytest.mark.timeout(1500)


def test_http_boot_as_far_as_the_plan(site: Site) -> None:
    folder = site.folder / "http"
    folder.mkdir()
    answers = site.answers({"serial": "NONE"})
    site.remaster("http/node.iso", "--append", KERNEL_ARGUMENT, "--answers", str(answers))
    with DhcpNamespace(tftp_root=folder) as network:
        log = site.folder / "http.log"
        with log.open("wb") as output:
            server = subprocess.Popen(
                network.run_inside(sys.executable, "-m", "http.server", "8080", "-d", str(folder)),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
        spec = MachineSpec(
            firmware=Firmware.UEFI,
            boot=(BootFrom.HTTP,),
            # The ISO lies in memory, and the firmware hands it over as a persistent-memory disk.
            memory_mib=2048,
            disks=(ALPHA,),
            nics=(Nic(network=network.network, option_rom=False),),
        )
        try:
            with site.machine("uefi-http", spec) as machine:
                machine.expect(ROOT_MOUNTED, timeout_s=400, unless=DEAD_ENDS)
                machine.expect(PLAN, timeout_s=300)
        finally:
            server.kill()
            server.wait()
    shutil.rmtree(folder)
    assert "GET /node.iso" in log.read_text()
