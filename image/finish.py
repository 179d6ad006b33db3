"""The last touches on a tree: what only the build needed goes, what the node needs of itself comes."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from image import dpkg, minimizer
from image.chroot import mounted, run_inside
from image.configure import write
from image.initrd_layer import kernel_version
from image.minimizer import Removal, Rule

# Traces of the build: times, logs, caches. `/boot` lives on in /usr/lib/nodecrust/boot.
_TRACES = (
    "boot/*",
    "etc/*-",
    "etc/.resolv.conf.systemd-resolved.bak",
    "etc/apt/apt.conf.d/99mmdebstrap",
    "etc/apt/sources.list.d/*",
    "etc/dpkg/dpkg.cfg.d/99mmdebstrap",
    "etc/.pwd.lock",
    "initrd.img*",
    "root/.bash_history",
    "root/.wget-hsts",
    "var/cache/apt/*",
    "var/cache/debconf/*-old",
    "var/cache/ldconfig/*",
    "var/cache/man/*",
    "var/lib/apt/lists/*",
    "var/lib/dpkg/*-old",
    "var/lib/systemd/catalog/database",
    "var/lib/systemd/random-seed",
    "var/log/*",
    "var/tmp/*",
    "vmlinuz*",
)

# The kernel's package asks for a maker of initrds; the image has its initrd.
_INITRD_MAKERS = ("dracut", "initramfs-tools")

# Folders of /var/log that services expect and don't make.
_LOG_FOLDERS_KEPT = frozenset({"journal", "private"})

BOOT = "usr/lib/nodecrust/boot"


def purge(tree: Path, wanted: Iterable[str]) -> list[str]:
    """Take the packages away that only the build needed; their names."""
    names = dpkg.unneeded(dpkg.installed(tree), wanted, _INITRD_MAKERS)
    if names:
        with mounted(tree):
            # All that depends on them goes with them, so the order doesn't matter.
            run_inside(tree, ["dpkg", "--purge", "--force-depends", "--force-remove-essential", *names])
    return names


def listing(tree: Path) -> tuple[set[str], set[str]]:
    """Every file and every folder of a tree, as absolute paths; a link counts as a file."""
    files: set[str] = set()
    folders: set[str] = set()
    for folder, names, others in tree.walk() if hasattr(tree, "walk") else _walk(tree):
        inside = "/" + str(folder.relative_to(tree)) if folder != tree else ""
        for name in names:
            (files if (folder / name).is_symlink() else folders).add(f"{inside}/{name}")
        files.update(f"{inside}/{name}" for name in others)
    return files, folders


def _walk(tree: Path) -> Iterable[tuple[Path, list[str], list[str]]]:
    # Path.walk is there from Python 3.12 on.
    for folder, names, others in os.walk(tree):
        yield Path(folder), names, others


def minimize(tree: Path, rules: Sequence[Rule], *, dry_run: bool) -> Removal:
    """Apply image-minimizer's rules to a tree, or only tell what they would remove."""
    files, folders = listing(tree)
    removal = minimizer.resolve(rules, files, folders, dpkg.package_files(tree))
    if not dry_run:
        for path in removal.files:
            (tree / path.lstrip("/")).unlink()
        for path in removal.folders:
            (tree / path.lstrip("/")).rmdir()
        _index_drivers(tree, removal)
    return removal


def _index_drivers(tree: Path, removal: Removal) -> None:
    """Have modprobe and udev know which drivers are left, or they would ask for those that are gone."""
    gone = [path for path in removal.files if path.startswith("/usr/lib/modules/")]
    for version in sorted({path.split("/")[4] for path in gone}):
        if (tree / "usr/lib/modules" / version / "kernel").is_dir():
            run_inside(tree, ["depmod", version])


def stash_boot_files(tree: Path, target: Path) -> Path:
    """Copy the kernel out of /boot to `target`/vmlinuz, for the image and for what boots it."""
    kernel = tree / "boot" / f"vmlinuz-{kernel_version(tree)}"
    shutil.copyfile(kernel, target / "vmlinuz")
    return target / "vmlinuz"


def remove_traces(tree: Path) -> None:
    """Remove what the build left and a node doesn't want, and what would differ at the next build."""
    for glob in _TRACES:
        for path in tree.glob(glob):
            if path.is_dir() and not path.is_symlink():
                if path.parent.name != "log" or path.name not in _LOG_FOLDERS_KEPT:
                    _clear(path, is_log=path.parent.name == "log")
            else:
                path.unlink()
    for folder in ("tmp", "run", "dev"):
        _clear(tree / folder, is_log=True)


def _clear(path: Path, *, is_log: bool) -> None:
    """Empty a folder; one of /var/log stays itself, with its owner and mode."""
    for child in path.iterdir():
        if child.is_dir() and not child.is_symlink():
            shutil.rmtree(child)
        else:
            child.unlink()
    if not is_log:
        path.rmdir()


def install_boot_files(tree: Path, vmlinuz: Path, initrd: Path) -> None:
    """Put kernel and initrd where the installer takes them from."""
    boot = tree / BOOT
    boot.mkdir(parents=True, exist_ok=True)
    for source in (vmlinuz, initrd):
        shutil.copyfile(source, boot / source.name)
        (boot / source.name).chmod(0o644)


IDENTITY = "usr/lib/nodecrust/image.json"


def write_identity(tree: Path, facts: Mapping[str, str | int]) -> None:
    """Say in the image what it is: image.json for our programs, os-release for everybody's."""
    document = {"format": 1, **facts}
    write(tree / IDENTITY, json.dumps(document, indent=2, sort_keys=True) + "\n")
    release = tree / "usr/lib/os-release"
    lines = release.read_text(encoding="utf-8").rstrip().splitlines()
    theirs = [line for line in lines if not line.startswith(("IMAGE_ID=", "IMAGE_VERSION="))]
    own = [f'IMAGE_ID="{facts["name"]}"', f'IMAGE_VERSION="{facts["version"]}"', ""]
    write(release, "\n".join([*theirs, *own]))


def change_version(tree: Path, version: str) -> None:
    """Give an image that changed another version; the rest of what it says of itself stays."""
    facts = json.loads((tree / IDENTITY).read_text(encoding="utf-8"))
    write_identity(tree, {**facts, "version": version})


def mark_as_current(tree: Path, epoch: int) -> None:
    """Tell systemd that /etc and /var belong to this /usr (systemd-update-done.service(8)).

    Otherwise every boot of the read-only image rebuilds the linker's cache, the catalogue and the hardware
    database into memory. No file of the image is younger than `epoch`.
    """
    for folder in ("etc", "var"):
        path = tree / folder / ".updated"
        write(path, f"TIMESTAMP_NSEC={epoch * 10**9}\n")
        os.utime(path, (epoch, epoch))


@dataclass(frozen=True)
class PackageSize:
    """A package's share of the image, in bytes of its files."""

    name: str
    size: int


def package_sizes(tree: Path) -> list[PackageSize]:
    """What each package's files weigh in the finished tree, largest first."""
    sizes = []
    for name, paths in dpkg.package_files(tree).items():
        total = 0
        for path in paths:
            file = tree / path.lstrip("/")
            if file.is_file() and not file.is_symlink():
                total += file.stat().st_size
        sizes.append(PackageSize(name, total))
    return sorted(sizes, key=lambda one: (-one.size, one.name))
