"""One ISO for CD and USB stick, BIOS and UEFI, Secure Boot and UEFI HTTP Boot."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from image import menus
from image.loaders import Loaders
from image.menus import Boot
from image.process import run

_ESP_KIB = 8192

# On the ESP of the medium; the removable-media path, and what shim starts from beside itself.
_ESP_FILES = {"BOOTX64.EFI": "shimx64.efi", "grubx64.efi": "gcdx64.efi", "mmx64.efi": "mmx64.efi"}

MENU = "/boot/grub/grub.cfg"
ANSWERS = "/answers.yaml"


def make(folder: Path, target: Path, boot: Boot, loaders: Loaders, *, epoch: int) -> None:
    """Write the ISO of the image files in `folder`."""
    env = {"SOURCE_DATE_EPOCH": str(epoch)}
    with tempfile.TemporaryDirectory(prefix=".iso-", dir=target.parent) as name:
        scratch = Path(name)
        esp = scratch / "esp.img"
        _make_esp(esp, loaders, env)
        (scratch / "grub.cfg").write_text(menu(boot), encoding="utf-8")
        # Debian's signed GRUB for CDs looks for this file to find its root.
        (scratch / "info").write_text(boot.title + "\n", encoding="utf-8")
        grafts = {
            "/live/vmlinuz": folder / "vmlinuz",
            "/live/initrd": folder / "initrd",
            "/live/root.squashfs": folder / "root.squashfs",
            "/.disk/info": scratch / "info",
            "/boot/grub/eltorito.img": loaders.folder / "eltorito.img",
            MENU: scratch / "grub.cfg",
        }
        argv: list[str | Path] = [
            *("xorriso", "-as", "mkisofs", "-quiet", "-iso-level", "3"),
            *("-rational-rock", "-volid", boot.label),
            *("--grub2-mbr", loaders.folder / "boot_hybrid.img", "-partition_offset", "16"),
            *("--mbr-force-bootable", "-append_partition", "2", "0xef", esp, "-appended_part_as_gpt"),
            *("-eltorito-boot", "boot/grub/eltorito.img", "-no-emul-boot", "-boot-load-size", "4"),
            *("-boot-info-table", "--grub2-boot-info", "-eltorito-alt-boot"),
            *("-e", "--interval:appended_partition_2:all::", "-no-emul-boot"),
            # The files' own times are those of this build.
            *("--set_all_file_dates", time.strftime("%Y%m%d%H%M%S00", time.gmtime(epoch))),
            *("-output", target, "-graft-points"),
            *(f"{inside}={source}" for inside, source in grafts.items()),
        ]
        run(argv, env=env, brief="the ISO can't be made")


def menu(boot: Boot) -> str:
    """The ISO's menu."""
    return menus.render("iso-grub.cfg.j2", boot, image=f"LABEL={boot.label}")


def replace_root(source: Path, target: Path, folder: Path, boot: Boot, *, epoch: int) -> None:
    """Write a copy of an ISO of ours with the root image of `folder` and the menu that goes with it."""
    with tempfile.TemporaryDirectory(prefix=".iso-", dir=target.absolute().parent) as name:
        scratch = Path(name)
        (scratch / "grub.cfg").write_text(menu(boot), encoding="utf-8")
        (scratch / "info").write_text(boot.title + "\n", encoding="utf-8")
        argv: list[str | Path] = ["xorriso", "-indev", source, "-outdev", target]
        argv += ["-boot_image", "any", "replay", "-volid", boot.label, "-overwrite", "on"]
        argv += ["-map", folder / "root.squashfs", "/live/root.squashfs"]
        argv += ["-map", scratch / "grub.cfg", MENU, "-map", scratch / "info", "/.disk/info"]
        # The files' own times are those of this run.
        argv += ["-alter_date_r", "b", f"={epoch}", "/", "--", "-commit"]
        run(argv, env={"SOURCE_DATE_EPOCH": str(epoch)}, brief="the ISO can't be remade")


def remaster(source: Path, target: Path, boot: Boot, *, answers: Path | None) -> None:
    """Write a copy of an ISO of ours with another menu and, if given, an answers file at its root."""
    if answers is not None:
        boot = boot.with_append(f"node.answers=medium:{ANSWERS}")
    with tempfile.TemporaryDirectory(prefix=".iso-", dir=target.absolute().parent) as name:
        scratch = Path(name)
        (scratch / "grub.cfg").write_text(menu(boot), encoding="utf-8")
        beside = scratch / "node.iso"
        argv: list[str | Path] = ["xorriso", "-indev", source, "-outdev", beside]
        argv += ["-boot_image", "any", "replay", "-overwrite", "on"]
        argv += ["-map", scratch / "grub.cfg", MENU]
        if answers is not None:
            argv += ["-map", answers, ANSWERS]
        run([*argv, "-commit"], brief="the ISO can't be remade")
        beside.replace(target)


def _make_esp(path: Path, loaders: Loaders, env: dict[str, str]) -> None:
    run(["mkfs.vfat", "-C", "--invariant", "-n", "ESP", path, str(_ESP_KIB)], env=env)
    run(["mmd", "-i", path, "::/EFI", "::/EFI/BOOT"], env=env)
    for name, source in _ESP_FILES.items():
        run(["mcopy", "-i", path, loaders.folder / source, f"::/EFI/BOOT/{name}"], env=env)
