"""How the machine boots, and what its firmware says of it (SMBIOS)."""

from __future__ import annotations

from pathlib import Path

from node.model.inventory import Firmware, Unknown

# efivarfs: the name, the vendor's GUID; four bytes of attributes come before the value (UEFI 2.10, 3.3).
_SECURE_BOOT = "SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"
# What vendors leave in SMBIOS where they had nothing to say.
_NOTHING = frozenset(
    {
        "",
        "none",
        "not specified",
        "to be filled by o.e.m.",
        "default string",
        "system serial number",
        "n/a",
        "0",
    }
)


def find_firmware(sys: Path = Path("/sys")) -> tuple[Firmware, tuple[Unknown, ...]]:
    """Give the firmware and what could not be read of it, most often for want of root."""
    unknown: list[Unknown] = []
    efi = sys / "firmware/efi"

    def smbios(name: str) -> str:
        try:
            text = (sys / "class/dmi/id" / name).read_bytes().decode(errors="replace").strip("\0 \n")
        except FileNotFoundError:
            return ""
        except OSError as error:
            unknown.append(Unknown(f"firmware.{name}", error.strerror or str(error)))
            return ""
        return "" if text.lower() in _NOTHING else text

    # A container hides it; then nothing tells how the machine was started.
    if not any((sys / "firmware").glob("*")):
        unknown.append(Unknown("firmware.kind", f"{sys / 'firmware'} is empty: is this a container?"))
    secure_boot: bool | None = False
    if efi.is_dir():
        try:
            secure_boot = (efi / "efivars" / _SECURE_BOOT).read_bytes()[4:5] == b"\1"
        except FileNotFoundError:
            mounted = any((efi / "efivars").glob("*"))
            secure_boot = False if mounted else None
            if not mounted:
                unknown.append(Unknown("firmware.secure_boot", "the firmware's variables are not mounted"))
        except OSError as error:
            secure_boot = None
            unknown.append(Unknown("firmware.secure_boot", error.strerror or str(error)))
    found = Firmware(
        kind="uefi" if efi.is_dir() else "bios",
        secure_boot=secure_boot,
        product_uuid=smbios("product_uuid").lower(),
        vendor=smbios("sys_vendor"),
        product=smbios("product_name"),
        serial=smbios("product_serial"),
        version=smbios("bios_version"),
    )
    return found, tuple(unknown)
