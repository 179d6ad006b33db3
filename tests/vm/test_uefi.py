"""UEFI all the way: from a stick; over PXE with 768 MiB onto an NVMe disk of 4096-byte sectors; HTTP Boot."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from node.testing.vm import (
    BootFrom,
    Bus,
    DhcpNamespace,
    Disk,
    Firmware,
    MachineSpec,
    Nic,
    UserNetwork,
)
from node.testing.vm.shell import KERNEL_ARGUMENT
from tests.vm.checks import assert_healthy, assert_node_as_designed, wait_for_node
from tests.vm.site import ALPHA, Site, tftp
from tests.vm.words import DEAD_ENDS, INSTALL_FAILED, INSTALLED, PLAN, ROOT_MOUNTED

pytestmark = pytest.mark.timeout(1500)


def remaster(site: Site, name: str, *words: str) -> Path:
    """Give an ISO with kernel arguments and answers of our own."""
    output = site.folder / name
    subprocess.run(
        (
            str(Path(sys.executable).with_name("node-image")),
            "iso",
            str(site.image),
            "--output",
            str(output),
            *words,
        ),
        check=True,
        stdin=subprocess.DEVNULL,
    )
    return output


@pytest.mark.xdist_group("uefi-usb")
def test_from_a_stick_to_the_disk(site: Site) -> None:
    stick = remaster(
        site,
        "stick.iso",
        "--append",
        KERNEL_ARGUMENT,
        "--answers",
        str(site.answers({"transport": "virtio"})),
    )
    spec = MachineSpec(
        firmware=Firmware.UEFI,
        boot=(BootFrom.DISK, BootFrom.USB),
        disks=(ALPHA,),
        usb_stick=stick,
        nics=(Nic(network=UserNetwork()),),
    )
    with site.machine("uefi-usb", spec) as machine:
        machine.expect(INSTALLED, timeout_s=900, unless=(*DEAD_ENDS, INSTALL_FAILED))
        login = wait_for_node(machine, site)
        assert_healthy(login)
        assert_node_as_designed(login)
        machine.shell.wait_until_ready(timeout_s=60)
        entries = machine.shell.run("efibootmgr", check=True).output
        assert "Nodecrust" in entries, entries


@pytest.mark.xdist_group("uefi-nvme")
def test_pxe_with_little_memory_onto_nvme_of_4096_byte_sectors(site: Site) -> None:
    disk = Disk(serial="FOURK", bus=Bus.NVME, sector_bytes=4096)
    with site.serve(answers=site.answers({"serial": "FOURK"})) as server:
        spec = MachineSpec(
            firmware=Firmware.UEFI,
            boot=(BootFrom.DISK, BootFrom.PXE),
            memory_mib=768,
            disks=(disk,),
            nics=(tftp(server, site.folder / "tftp-uefi", "grubx64.efi"),),
        )
        with site.machine("uefi-nvme", spec) as machine:
            machine.expect(INSTALLED, timeout_s=900, unless=(*DEAD_ENDS, INSTALL_FAILED))
            login = wait_for_node(machine, site)
            assert_healthy(login)
            assert_node_as_designed(login)
            assert login.run("cat /sys/block/nvme0n1/queue/logical_block_size").stdout.strip() == "4096"


@pytest.mark.xdist_group("uefi-http")
def test_http_boot_as_far_as_the_plan(site: Site) -> None:
    folder = site.folder / "http"
    folder.mkdir()
    answers = site.answers({"serial": "NONE"})
    remaster(site, "http/node.iso", "--append", KERNEL_ARGUMENT, "--answers", str(answers))
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
