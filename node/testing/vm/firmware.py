"""OVMF's files, where Debian's package ovmf puts them."""

from __future__ import annotations

from pathlib import Path

from node.testing.vm.spec import Firmware

OVMF = Path("/usr/share/OVMF")


def ovmf_code(firmware: Firmware) -> Path | None:
    """The read-only half; None for BIOS."""
    return _half("CODE", firmware)


def ovmf_variables(firmware: Firmware) -> Path | None:
    """What a machine's variables begin as; None for BIOS."""
    return _half("VARS", firmware)


def _half(name: str, firmware: Firmware) -> Path | None:
    if not firmware.is_uefi:
        return None
    keys = ".ms" if firmware is Firmware.SECURE_BOOT else ""
    path = OVMF / f"OVMF_{name}_4M{keys}.fd"
    if not path.exists():
        raise FileNotFoundError(f"{path} is missing: install the package ovmf")
    return path
