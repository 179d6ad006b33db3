from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from node.errors import CommandFailedError, NodeError
from node.installer.existing import boot_existing
from node.model.inventory import Firmware
from node.model.system import Completed
from node.testing.fake_system import FakeSystem
from node.testing.machines import machine

INSTALLED = machine("vm-installed")
UEFI = replace(INSTALLED, firmware=Firmware("uefi"))
(FOUND,) = INSTALLED.installations


class Programs:
    """Remembers what was run; `mount` fills the folder as a BOOT partition has it."""

    def __init__(self, *, failing: tuple[str, ...] = (), cmdline: str | None = "quiet\n") -> None:
        self.ran: list[str] = []
        self._failing = failing
        self._cmdline = cmdline

    def run(self, argv: Sequence[str | Path], **named: object) -> Completed:
        words = [str(word) for word in argv]
        self.ran.append(" ".join(word for word in words if "/tmp" not in word))
        if words[0] in self._failing:
            raise CommandFailedError(f"{words[0]} failed", argv=words, status=1)
        if words[0] == "mount" and self._cmdline is not None:
            (Path(words[-1]) / "a").mkdir()
            (Path(words[-1]) / "a" / "cmdline").write_text(self._cmdline)
        return Completed(tuple(words), 0, "", "")


def system(labels: Mapping[str, str] | None = None) -> FakeSystem:
    fake = FakeSystem(INSTALLED)
    fake.boot_labels = dict(labels or {})
    return fake


def test_kexec_loads_what_the_slot_boots_from():
    programs = Programs(cmdline="node.image=PARTUUID=x quiet\n")
    boot_existing(FOUND, INSTALLED, commands=programs, boot=system().boot)
    assert programs.ran == [
        "mount -t ext4 -o ro /dev/vda3",
        "kexec -s -l --command-line=node.image=PARTUUID=x quiet",
        "umount",
        "systemctl kexec",
    ]


def test_the_firmware_is_the_second_way():
    programs = Programs(failing=("kexec",))
    fake = system({"0000": "UEFI PXE", "0003": "Nodecrust NODE0001", "0004": "Nodecrust OTHER"})
    boot_existing(FOUND, UEFI, commands=programs, boot=fake.boot)
    assert programs.ran[-2:] == ["efibootmgr --quiet --bootnext 0003", "systemctl reboot"]


@pytest.mark.parametrize("inventory", [INSTALLED, UEFI])
def test_where_neither_works_it_says_what_to_do(inventory):
    with pytest.raises(NodeError) as caught:
        boot_existing(FOUND, inventory, commands=Programs(failing=("kexec",)), boot=system().boot)
    assert "boot menu" in caught.value.mend
    assert "kexec failed" in caught.value.details


def test_a_boot_area_that_lacks_a_file_is_named():
    with pytest.raises(NodeError) as caught:
        boot_existing(FOUND, INSTALLED, commands=Programs(cmdline=None), boot=system().boot)
    assert "cmdline" in caught.value.details
