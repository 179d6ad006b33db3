"""Boot loaders out of the image suite's own packages, so that any build machine gives the same bytes."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from image import mirror
from image.cache import Cache, key_of
from image.mirror import Archive
from image.process import run

_FORMAT = 1

_PACKAGES = (
    "grub-common",
    "grub-efi-amd64-signed",
    "grub-pc-bin",
    "ipxe",
    "pxelinux",
    "shim-helpers-amd64-signed",
    "shim-signed",
    "syslinux-common",
)

# grub-mkimage runs with its own suite's libraries, not with this machine's.
_LIBRARIES = ("libc6", "libdevmapper1.02.1", "liblzma5", "libudev1", "libselinux1", "libpcre2-8-0", "libcap2")

# Under their names in the layer: what is taken, and from where in the packages.
_FILES = {
    "boot_hybrid.img": "usr/lib/grub/i386-pc/boot_hybrid.img",
    "gcdx64.efi": "usr/lib/grub/x86_64-efi-signed/gcdx64.efi.signed",
    "grubnetx64.efi": "usr/lib/grub/x86_64-efi-signed/grubnetx64.efi.signed",
    "ipxe.lkrn": "usr/lib/ipxe/ipxe.lkrn",
    "ldlinux.c32": "usr/lib/syslinux/modules/bios/ldlinux.c32",
    "mmx64.efi": "usr/lib/shim/mmx64.efi.signed",
    "pxelinux.0": "usr/lib/PXELINUX/pxelinux.0",
    "shimx64.efi": "usr/lib/shim/shimx64.efi.signed",
}

# Everything the CD's BIOS loader needs; it has no folder of modules.
_ELTORITO_MODULES = (
    *("all_video", "biosdisk", "boot", "cat", "configfile", "echo", "fat", "gzio", "halt", "help"),
    *("iso9660", "linux", "loadenv", "ls", "minicmd", "normal", "part_gpt", "part_msdos", "reboot"),
    *("search", "search_fs_file", "search_fs_uuid", "search_label", "serial", "sleep", "terminal", "test"),
)


@dataclass(frozen=True)
class Loaders:
    """A folder with every loader under the names of `_FILES`, and `eltorito.img`."""

    folder: Path


def fetch(cache: Cache, archive: Archive) -> tuple[Loaders, bool]:
    """The loaders, and whether the cache had them. Raises as `mirror.fetch` does."""
    key = key_of([_FORMAT, _PACKAGES, _LIBRARIES, _ELTORITO_MODULES, sorted(_FILES.items()), archive.state])
    with cache.lock("loaders", key):
        entry = cache.find("loaders", key)
        if entry is not None:
            return Loaders(entry), True
        with cache.making("loaders", key) as folder:
            _collect(archive, folder)
        entry = cache.find("loaders", key)
        assert entry is not None
        return Loaders(entry), False


def _collect(archive: Archive, folder: Path) -> None:
    scratch = folder / "packages"
    root = scratch / "root"
    root.mkdir(parents=True)
    for path in mirror.fetch(archive, [*_PACKAGES, *_LIBRARIES], scratch):
        run(["dpkg-deb", "--extract", path, root])
    for name, source in _FILES.items():
        shutil.copyfile(root / source, folder / name)
    _make_eltorito(root, folder / "eltorito.img")
    shutil.rmtree(scratch)


def _make_eltorito(root: Path, target: Path) -> None:
    libraries = root / "usr/lib/x86_64-linux-gnu"
    run(
        [
            libraries / "ld-linux-x86-64.so.2",
            "--library-path",
            libraries,
            root / "usr/bin/grub-mkimage",
            "--directory",
            root / "usr/lib/grub/i386-pc",
            "--prefix",
            "/boot/grub",
            "--format",
            "i386-pc-eltorito",
            "--output",
            target,
            *_ELTORITO_MODULES,
        ],
        brief="the CD's BIOS loader can't be made",
    )
