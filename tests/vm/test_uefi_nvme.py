"""UEFI over PXE (signed GRUB) with little memory, onto an NVMe disk with sectors of 4096 bytes."""

import pytest

from node.testing.vm import BootFrom, Bus, Disk, Firmware, MachineSpec
from tests.vm.checks import assert_healthy, assert_node_as_designed, wait_for_node
from tests.vm.site import Site, tftp
from tests.vm.words import DEAD_ENDS, INSTALL_FAILED, INSTALLED

pytestmark = pytest.mark.timeout(3000)


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
