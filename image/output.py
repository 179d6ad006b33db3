"""The output folder: image, PXE set, ISO, manifest and checksums, replaced as a whole."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from image import iso, menus, pxe
from image.held import held_folder
from image.kickstart import Kickstart
from image.loaders import Loaders
from node.errors import InputError

IMAGE_FILES = ("vmlinuz", "initrd", "root.squashfs")

# As many as fit on a screen.
_LARGEST_SHOWN = 20

_CHUNK = 1 << 20


@dataclass(frozen=True)
class Image:
    """A finished image in the cache, and what is told of it. `folder` holds IMAGE_FILES and facts.json."""

    folder: Path
    name: str
    version: str
    epoch: int
    kickstart: Kickstart
    loaders: Loaders


def check_target(folder: Path) -> None:
    """Raise InputError where the folder can't be made, or holds something that isn't an output of ours."""
    if not folder.exists():
        above = next(one for one in folder.absolute().parents if one.exists())
        if not (above.is_dir() and os.access(above, os.W_OK)):
            raise InputError(f"{folder} can't be made: {above} is no folder that you may write to")
        return
    if not folder.is_dir():
        raise InputError(f"{folder} is no folder")
    if any(folder.iterdir()) and not (folder / "manifest.json").is_file():
        raise InputError(
            f"{folder} holds files that node-image didn't make, and would be replaced",
            mend="name an empty or new folder by --output",
        )


def sha256(path: Path) -> str:
    """SHA-256 of a file, in hex."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def copy(source: Path, target: Path) -> None:
    """Copy a file's bytes, sharing them where the filesystem can."""
    shutil.copyfile(source, target)
    target.chmod(0o644)


def label_of(root_sha256: str) -> str:
    """The ISO's volume label: which image it holds, within what ISO 9660 allows."""
    return f"NODE_{root_sha256[:8].upper()}"


def write(image: Image, target: Path, *, base_url: str | None, append: str) -> dict[str, Any]:
    """Write the folder beside its place, then put it there. Gives the manifest."""
    return write_beside(target, lambda beside: _fill(image, beside, base_url=base_url, append=append))


def write_beside(target: Path, fill: Callable[[Path], dict[str, Any]]) -> dict[str, Any]:
    """Have `fill` fill a folder beside `target`, then put it there as a whole. Gives what it gave."""
    target = target.absolute()
    with held_folder(target.parent, f".{target.name}.new-") as beside:
        beside.chmod(0o755)
        manifest = fill(beside)
        _replace(beside, target)
    return manifest


def _fill(image: Image, folder: Path, *, base_url: str | None, append: str) -> dict[str, Any]:
    for name in IMAGE_FILES:
        copy(image.folder / name, folder / name)
    root = folder / "root.squashfs"
    digest = sha256(root)
    boot = menus.Boot(
        label=label_of(digest),
        sha256=digest,
        size=root.stat().st_size,
        append=" ".join(filter(None, (image.kickstart.append, append))),
        timeout_s=menus.DEFAULT_TIMEOUT_S if image.kickstart.timeout_s is None else image.kickstart.timeout_s,
        title=f"{image.name} {image.version}",
    )
    iso.make(folder, folder / "node.iso", boot, image.loaders, epoch=image.epoch)
    pxe.make(folder, boot, image.loaders.folder, base_url=base_url)
    return finish(folder, _manifest(image, boot, base_url=base_url))


def finish(folder: Path, manifest: dict[str, Any]) -> dict[str, Any]:
    """Write the manifest, with the files that are in the folder, and the checksums. Gives the manifest."""
    manifest = {**manifest, "files": _files(folder)}
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")
    sums = [f"{entry['sha256']}  {name}\n" for name, entry in manifest["files"].items()]
    sums.append(f"{sha256(folder / 'manifest.json')}  manifest.json\n")
    (folder / "SHA256SUMS").write_text("".join(sums), encoding="utf-8")
    return manifest


def _files(folder: Path) -> dict[str, dict[str, Any]]:
    files: dict[str, dict[str, Any]] = {}
    known: dict[int, str] = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            state = path.stat()
            # The PXE set's big files are the same ones once more.
            digest = known[state.st_ino] = known.get(state.st_ino) or sha256(path)
            files[str(path.relative_to(folder))] = {"sha256": digest, "size": state.st_size}
    return files


def _manifest(image: Image, boot: menus.Boot, *, base_url: str | None) -> dict[str, Any]:
    facts = json.loads((image.folder / "facts.json").read_text(encoding="utf-8"))
    ks = image.kickstart
    return {
        "format": 1,
        "name": image.name,
        "version": image.version,
        "kickstart": {"path": ks.path.name, "sha256": ks.sha256},
        "suites": [suite.name for suite in ks.suites],
        "files": {},
        "packages": facts["packages"],
        "largest": [{"name": name, "size": size} for name, size in facts["sizes"][:_LARGEST_SHOWN]],
        "plugins": facts["plugins"],
        "plugin_keys": facts["plugin_keys"],
        "partitions": list(ks.partitions),
        "boot": {
            "append": boot.append,
            "timeout": boot.timeout_s,
            "label": boot.label,
            "base_url": base_url,
        },
        "source_date_epoch": image.epoch,
    }


def _replace(beside: Path, target: Path) -> None:
    """Put the new folder in the old one's place; at no moment is a half-made one there."""
    if not target.exists():
        beside.rename(target)
        return
    with held_folder(target.parent, f".{target.name}.old-") as old:
        target.rename(old / "output")
        beside.rename(target)
