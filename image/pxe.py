"""The PXE set: a folder to serve over TFTP and HTTP as it is."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from image import menus
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


def configuration(
    boot: Boot, *, base_url: str | None, http_port: int = 80, answers_sha256: str | None = None
) -> dict[str, str]:
    """The text files of the set, by their path in it.

    Without `base_url` the loaders take the host that they were served from, at `http_port`.
    """
    base = slashed(base_url)
    if answers_sha256 is not None:
        boot = boot.with_append(
            f"node.answers={base or '${base}'}answers.yaml node.answers.sha256={answers_sha256}"
        )
    port = "" if http_port == 80 else f":{http_port}"

    def render(template: str, host: str = "") -> str:
        own = f"http://{host}{port}/"
        return menus.render(template, boot, image=f"{base or '${base}'}root.squashfs", base_url=base or own)

    return {
        # The loaders' own names for the server that DHCP sent them to.
        "boot.ipxe": render("boot.ipxe.j2", "${next-server}"),
        "grub/grub.cfg": render("pxe-grub.cfg.j2", "$net_default_server"),
        "pxelinux.cfg/default": render("pxelinux.cfg.j2"),
        "README.txt": render("README.txt.j2", "SERVER"),
    }


def make(folder: Path, boot: Boot, loaders: Path, *, base_url: str | None) -> None:
    """Make `folder`/pxe from the image files in `folder`.

    `loaders` has the boot loaders under their own names, or is the set of another image.
    """
    target = folder / "pxe"
    target.mkdir()
    for name in LINKED:
        os.link(folder / name, target / name)
    for name, source in _LOADERS.items():
        given = loaders / source
        # In a set they have the names that machines ask for.
        shutil.copyfile(given if given.is_file() else loaders / name, target / name)
    for name, text in configuration(boot, base_url=base_url).items():
        (target / name).parent.mkdir(exist_ok=True)
        (target / name).write_text(text, encoding="utf-8")
