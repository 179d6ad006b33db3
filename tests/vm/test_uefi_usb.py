"""UEFI, from a stick to the disk."""

import pytest

from node.testing.vm import BootFrom, Firmware, MachineSpec, Nic, UserNetwork
from node.testing.vm.shell import KERNEL_ARGUMENT
from tests.vm.checks import assert_healthy, assert_node_as_designed, wait_for_node
from tests.vm.site import ALPHA, Site
from tests.vm.words import DEAD_ENDS, INSTALL_FAILED, INSTALLED

pytestmark = pytest.mark.timeout(3000)


def test_from_a_stick_to_the_disk(site: Site) -> None:
    stick = site.remaster(
        "stick.iso",
        "--append",
        KERNEL_ARGUMENT,
        "--answers",
        str(site.answers({"transport": "virtio"}, boot={"append": KERNEL_ARGUMENT})),
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
