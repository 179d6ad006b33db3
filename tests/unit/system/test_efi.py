from __future__ import annotations

from node.system.efi import parse_entries

VERSION_17 = """\
BootCurrent: 0003
Timeout: 3 seconds
BootOrder: 0003,0000,0001
Boot0000* UiApp
Boot0001  UEFI QEMU DVD-ROM QM00005
Boot0003* Nodecrust
"""
VERSION_18 = """\
BootCurrent: 0003
BootOrder: 0003,000A
Boot0003* Nodecrust\tHD(2,GPT,7ccf4367-bd2d-4b72-ba31-8d2081ed2e8a,0x1000,0x14000)/\\EFI\\debian\\shimx64.efi
Boot000a* UEFI PXEv4 (MAC:525400123456)\tPciRoot(0x0)/Pci(0x2,0x0)/MAC(525400123456,1)/IPv4(0.0.0.0)
MirroredPercentageAbove4G: 0.00
"""


def test_entries_of_debian_12() -> None:
    found = parse_entries(VERSION_17)
    assert found.order == ("0003", "0000", "0001")
    assert found.labels == {"0000": "UiApp", "0001": "UEFI QEMU DVD-ROM QM00005", "0003": "Nodecrust"}


def test_entries_of_debian_13() -> None:
    found = parse_entries(VERSION_18)
    assert found.order == ("0003", "000A")
    assert found.labels == {"0003": "Nodecrust", "000A": "UEFI PXEv4 (MAC:525400123456)"}


def test_nothing_is_nothing() -> None:
    assert parse_entries("No BootOrder is set; firmware will attempt recovery\n").order == ()
