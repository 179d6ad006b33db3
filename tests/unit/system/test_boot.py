"""Firmware entries, with a made-up efibootmgr."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from node.errors import NodeError
from node.model.system import Completed
from node.system.boot import LiveBoot


class Firmware:
    """An efibootmgr that remembers."""

    def __init__(self) -> None:
        self.labels = {"0000": "UiApp", "0002": "UEFI PXEv4"}
        self.order = ["0002", "0000"]
        self.full = False

    def run(self, argv: Sequence[str | Path], **_: Any) -> Completed:
        words = [str(word) for word in argv]
        assert words[0] == "efibootmgr"
        if "--create" in words and not self.full:
            self.labels["0001"] = words[words.index("--label") + 1]
            self.order.insert(0, "0001")
        elif "--delete-bootnum" in words:
            number = words[words.index("--bootnum") + 1]
            del self.labels[number]
            self.order.remove(number)
        elif "--bootorder" in words:
            self.order = words[words.index("--bootorder") + 1].split(",")
        lines = [f"BootOrder: {','.join(self.order)}"]
        lines += [f"Boot{number}* {label}\tHD(1)" for number, label in sorted(self.labels.items())]
        return Completed(tuple(words), 0, "\n".join(lines), "")


@pytest.fixture
def firmware() -> Firmware:
    return Firmware()


@pytest.fixture
def boot(firmware: Firmware, tmp_path: Path) -> LiveBoot:
    (tmp_path / "BootOrder-8be4df61").touch()
    return LiveBoot(firmware, efivars=tmp_path)


def add(boot: LiveBoot) -> str:
    return boot.add_boot_entry(
        disk="/dev/vda", partition=2, label="Nodecrust", loader=r"\EFI\debian\shimx64.efi"
    )


def test_new_entry_comes_first_and_goes_again(boot: LiveBoot, firmware: Firmware) -> None:
    before, _ = boot.boot_entries()
    number = add(boot)
    order, labels = boot.boot_entries()
    assert (number, order[0], labels[number]) == ("0001", "0001", "Nodecrust")
    boot.restore_boot_order(before, remove=[number])
    assert boot.boot_entries() == (before, {"0000": "UiApp", "0002": "UEFI PXEv4"})


def test_order_is_restored_without_entries_that_are_gone(boot: LiveBoot, firmware: Firmware) -> None:
    boot.restore_boot_order(["0007", "0000", "0002"], remove=["0009"])
    assert firmware.order == ["0000", "0002"]


def test_firmware_that_takes_no_entry_is_an_error(boot: LiveBoot, firmware: Firmware) -> None:
    firmware.full = True
    with pytest.raises(NodeError, match="did not take the boot entry"):
        add(boot)


def test_image_without_grub_says_which_package_has_it(tmp_path: Path) -> None:
    with pytest.raises(NodeError, match="grub-pc-bin"):
        LiveBoot(Firmware(), grub=tmp_path).install_grub_bios("/dev/none", tmp_path)
