"""What a machine can't be is said when it is described, not by QEMU."""

from collections.abc import Callable

import pytest

from node.testing.vm import BootFrom, Bus, Disk, Firmware, MachineSpec, Nic, UserNetwork

NIC = Nic(network=UserNetwork())


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Disk(serial=""), "1 to 20 letters"),
        (lambda: Disk(serial="A" * 21), "1 to 20 letters"),
        (lambda: Disk(serial="A", sector_bytes=520), "not 512 or 4096"),
        (lambda: Disk(serial="A", sector_bytes=4096, bus=Bus.SATA), "512 bytes only"),
        (lambda: MachineSpec(disks=(Disk(serial="A"), Disk(serial="A"))), "one serial"),
        (lambda: MachineSpec(boot=(BootFrom.PXE, BootFrom.PXE), nics=(NIC,)), "twice"),
        (lambda: MachineSpec(boot=(BootFrom.DISK,)), "names disk"),
        (lambda: MachineSpec(boot=(BootFrom.CD,)), "names cd"),
        (lambda: MachineSpec(boot=(BootFrom.HTTP,), nics=(NIC,)), "UEFI's"),
        (
            lambda: MachineSpec(boot=(BootFrom.PXE,), nics=(Nic(network=UserNetwork(), option_rom=False),)),
            "option ROM",
        ),
        (
            lambda: MachineSpec(firmware=Firmware.UEFI, boot=(BootFrom.HTTP, BootFrom.PXE), nics=(NIC,)),
            "not both",
        ),
    ],
)
def test_refused(make: Callable[[], object], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        make()
