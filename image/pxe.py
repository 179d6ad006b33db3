"""The PXE set: a folder to serve over TFTP and HTTP as it is."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from image import menus
from image.loaders import Loaders
from image.menus import Boot

# What is fetched as a whole, beside the configuration: hard links to the output's own files.
LINKED = ("vmlinuz", "initrd", "root.squashfs", "node.iso")

_LOADERS = {
    "pxelinux.0": "pxelinux.0",
    "ldlinux.c32": "ldlinux.c32",
    "ipxe.lkrn": "ipxe.lkrn",
    "shimx64.efi": "shimx64.efi",
    # shim asks for the second stage by this name.
    "grubx64.efi": "grubnetx64.efi",
}


def slashed(base_url: str | None) -> str | None:
    """An address with the slash that file names are put behind."""
    return None if base_url is None else base_url.rstrip("/") + "/"


def configuration(boot: Boot, *, base_url: str | None) -> dict[str, str]:
    """The text files of the set, by their path in it."""
    base = slashed(base_url)

    def render(template: str, own_base: str) -> str:
        return menus.render(template, boot, image=f"{base or own_base}root.squashfs", base_url=base)

    return {
        "boot.ipxe": render("boot.ipxe.j2", "${base}"),
        "grub/grub.cfg": render("pxe-grub.cfg.j2", "${base}"),
        "pxelinux.cfg/default": render("pxelinux.cfg.j2", ""),
        "README.txt": render("README.txt.j2", ""),
    }


def make(folder: Path, boot: Boot, loaders: Loaders, *, base_url: str | None) -> None:
    """Make `folder`/pxe from the image files in `folder`."""
    target = folder / "pxe"
    target.mkdir()
    for name in LINKED:
        os.link(folder / name, target / name)
    for name, source in _LOADERS.items():
        shutil.copyfile(loaders.folder / source, target / name)
    for name, text in configuration(boot, base_url=base_url).items():
        (target / name).parent.mkdir(exist_ok=True)
        (target / name).write_text(text, encoding="utf-8")
