"""Plugins for an image that is built: a new folder beside the old one, which stays whole until the end."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from image import finish, iso, namespace, output, pxe, squashfs
from image.cache import key_of
from image.jobs import run_job
from image.menus import Boot
from image.plugins import keys, place
from image.plugins.given import notices, read_plugins
from image.plugins.plugin import Plugin
from image.plugins.requirements import DIST_PACKAGES
from image.process import run
from image.progress import Progress
from image.site import read_boot
from node.errors import InputError

# Without it the image's nodectl would never look where plugins are put.
_LOOKS_FOR_PLUGINS = f"{DIST_PACKAGES}/node/system/plugin_folders.py"

# chroot.mounted mounts there.
_MOUNTED = ("proc/x", "dev/x", "run/x", "tmp/x")

_ADDED = re.compile(r"\.p[0-9a-f]{8}$")


@dataclass(frozen=True)
class Request:
    """What a user asked `node-image add-plugin` for; without `output` the image itself is replaced."""

    image: Path
    plugins: tuple[Path, ...]
    output: Path | None = None
    plugin_keys: tuple[Path, ...] = ()


@dataclass(frozen=True)
class Addition:
    """The work on the tree, from the old root to `target`. `base` is the version without additions."""

    root: Path
    tree: Path
    target: Path
    base: str
    plugins: tuple[Plugin, ...]
    plugin_keys: tuple[bytes, ...]
    epoch: int

    def perform(self, report: Any) -> dict[str, Any]:
        """Make the new root; its version and the records of its plugins. Raises as `place` does."""
        with report.stage("unpack"):
            unpack(self.root, self.tree)
            _refuse_links(self.tree)
            if not (self.tree / _LOOKS_FOR_PLUGINS).is_file():
                raise InputError(
                    "the image is of a node-image that knew no plugins beside Debian's packages",
                    mend="build it anew with this node-image",
                )
        with report.stage("plugins"):
            records = place.place(self.tree, self.plugins) if self.plugins else place.read_record(self.tree)
            keys.write_keys(self.tree, self.plugin_keys)
        files = [[one["file"], one["sha256"]] for one in records]
        known = sorted(path.name for path in (self.tree / keys.FOLDER).glob("*.pem"))
        version = f"{self.base}.p{key_of([files, known])[:8]}"
        with report.stage("squashfs"):
            finish.change_version(self.tree, version)
            squashfs.make(self.tree, self.target, epoch=self.epoch, level=squashfs.level_of(self.root))
        fingerprints = [keys.fingerprint((self.tree / keys.FOLDER / name).read_bytes()) for name in known]
        return {"version": version, "plugins": records, "plugin_keys": fingerprints}


def _refuse_links(tree: Path) -> None:
    """Refuse a root in which what is written would come elsewhere: the image may be anybody's."""
    for name in (place.RECORD, finish.IDENTITY, "usr/lib/os-release", f"{keys.FOLDER}/x", *_MOUNTED):
        for path in (tree / name, *(tree / name).parents):
            if path != tree and path.is_relative_to(tree) and path.is_symlink():
                raise InputError(
                    f"/{path.relative_to(tree)} of the image is a link, and no image of ours has one"
                )


def unpack(root: Path, tree: Path) -> None:
    """Unpack a squashfs with owners, modes, times and attributes, as root of a namespace."""
    run(["unsquashfs", "-quiet", "-no-progress", "-dest", tree, root], brief="the root can't be unpacked")


def add_plugins(request: Request, progress: Progress) -> dict[str, Any]:
    """Make an image with further plugins. Gives its manifest, whose `base` is the image without any added.

    Raises InputError (a plugin or the image is to blame) or NodeError (a stage failed); what was there
    before is then as it was.
    """
    plugins = read_plugins(request.plugins)
    plugin_keys = tuple(keys.read_public_key(path) for path in request.plugin_keys)
    for line in notices(plugins):
        progress.note(line)
    target = request.output or request.image
    output.check_target(target)
    namespace.check_subordinate_ids()
    boot = read_boot(request.image)
    with progress.stage("check"):
        manifest = _whole_manifest(request.image)
    base = manifest.get("base") or {
        "version": manifest["version"],
        "sha256": manifest["files"]["root.squashfs"]["sha256"],
    }
    epoch = manifest["source_date_epoch"]
    with namespace.work_area() as work:
        addition = Addition(
            root=(request.image / "root.squashfs").absolute(),
            tree=work / "tree",
            target=work / "root.squashfs",
            base=_ADDED.sub("", manifest["version"]),
            plugins=plugins,
            plugin_keys=plugin_keys,
            epoch=epoch,
        )
        made = run_job(addition, progress)
        changed = {**manifest, **made, "base": base}
        with progress.stage("output"):
            return output.write_beside(
                target, lambda beside: _fill(beside, request.image, addition.target, boot, changed)
            )


def _whole_manifest(folder: Path) -> dict[str, Any]:
    """The manifest of an image all of whose files are there and as it says. Raises InputError."""
    manifest: dict[str, Any] = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    if manifest.get("format") != 1:
        raise InputError(f"{folder} is of a newer node-image")
    for name, told in manifest["files"].items():
        path = folder / name
        if not path.is_file():
            raise InputError(f"{folder} is not whole: {name} is missing", mend="build it anew")
        if name in (*output.IMAGE_FILES, "node.iso") and output.sha256(path) != told["sha256"]:
            raise InputError(f"{path} is not the one that the manifest names", mend="build it anew")
    return manifest


def _fill(folder: Path, old: Path, root: Path, boot: Boot, manifest: dict[str, Any]) -> dict[str, Any]:
    for name in ("vmlinuz", "initrd"):
        # Nothing of a plugin is in the initrd, which calls the root's own nodectl.
        output.copy(old / name, folder / name)
    output.copy(root, folder / "root.squashfs")
    digest = output.sha256(root)
    boot = replace(
        boot,
        label=output.label_of(digest),
        sha256=digest,
        size=root.stat().st_size,
        title=f"{manifest['name']} {manifest['version']}",
    )
    iso.replace_root(old / "node.iso", folder / "node.iso", folder, boot, epoch=manifest["source_date_epoch"])
    base_url = manifest["boot"].get("base_url")
    pxe.make(folder, boot, old / "pxe", base_url=base_url)
    return output.finish(folder, {**manifest, "boot": {**manifest["boot"], "label": boot.label}})
