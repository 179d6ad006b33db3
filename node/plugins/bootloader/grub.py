"""GRUB's configuration files, as text."""

from __future__ import annotations

import re
from collections.abc import Sequence

# GRUB's environment block is one of 1024 bytes, filled up with #; it is rewritten in place, so it must be
# there before (GRUB's manual, 15.2).
ENVIRONMENT_BLOCK = "# GRUB Environment Block\n".ljust(1024, "#").encode()

_SERIAL = re.compile(r"ttyS(?P<unit>\d+)(?:,(?P<speed>\d+))?")


def menu(*, boot_uuid: str, arguments: Sequence[str], timeout_s: int) -> str:
    """Give BOOT's grub/grub.cfg: one entry a slot, on the screen and on the kernel's serial line.

    Only BIOS is told of the serial line: UEFI firmware sends its console there by itself.
    """
    quoted = " ".join(quote(word) for word in arguments)
    lines = [
        "# Written by the installation. Kernel arguments are changed by installing or updating, not here.",
        f"set timeout={timeout_s}",
        "set default=slot-a",
    ]
    consoles = [word.removeprefix("console=") for word in arguments if word.startswith("console=")]
    serial = next((match for console in consoles if (match := _SERIAL.match(console))), None)
    if serial:
        lines += [
            'if [ "$grub_platform" = pc ]; then',
            f"  if serial --unit={serial['unit']} --speed={serial['speed'] or 9600}; then",
            "    terminal_input console serial",
            "    terminal_output console serial",
            "  fi",
            "fi",
        ]
    lines += [
        f"search --no-floppy --fs-uuid --set=root {boot_uuid}",
        "menuentry 'Nodecrust (slot A)' --id slot-a {",
        f"  linux /a/vmlinuz {quoted}",
        "  initrd /a/initrd",
        "}",
    ]
    return "\n".join(lines) + "\n"


def esp_stub(boot_uuid: str) -> str:
    """Give EFI/debian/grub.cfg, where Debian's signed GRUB looks: it only leads on to BOOT."""
    return (
        f"search --no-floppy --fs-uuid --set=root {boot_uuid}\n"
        "set prefix=($root)/grub\n"
        "configfile $prefix/grub.cfg\n"
    )


def quote(word: str) -> str:
    """Quote a word for GRUB's shell where it has more in it than plain letters.

    Double quotes go: around a word with blanks GRUB puts its own, which the kernel reads the same wherever
    they stand in the word, and others it escapes in a way that the kernel doesn't know
    (grub_create_loader_cmdline in grub-core/lib/cmdline.c).
    """
    word = word.replace('"', "")
    return word if re.fullmatch(r"[\w.,:=/+@%-]+", word) else "'" + word.replace("'", "'\\''") + "'"
