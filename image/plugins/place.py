"""Puts plugins into a tree, as root of a namespace: everything is checked before a file is written."""

from __future__ import annotations

import importlib.metadata
import json
import os
import shutil
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from packaging.utils import canonicalize_name

from image.chroot import mounted, run_inside
from image.configure import write
from image.plugins import try_out
from image.plugins.debian import own_folders
from image.plugins.given import refuse
from image.plugins.plugin import FOLDER, Plugin
from image.plugins.requirements import DIST_PACKAGES, Inside, check_requirements, look_inside
from node.errors import CommandFailedError, InputError
from node.hookspecs import PROJECT
from node.model.file_names import wrong_with_name

# What was put into a tree, for whoever asks the image and for the next who adds one.
RECORD = "usr/lib/nodecrust/plugins.json"

Record = dict[str, Any]


def place(
    tree: Path,
    plugins: Sequence[Plugin],
    *,
    debian: Callable[[str], bool | None] = lambda _: None,
) -> list[Record]:
    """Put plugins into a tree and try them there; the records of all plugins that it has now.

    One that is there already, by its distribution's or package's name, is replaced. Raises InputError where
    the tree lacks what one needs, where it has what one would bring, or where one can't be imported; only in
    the last case the tree has changed.
    """
    kept, replaced = _split(read_record(tree), plugins)
    inside = look_inside(tree, debian)
    gone: set[str] = {
        canonicalize_name(one["name"]) for record in replaced for one in record["distributions"]
    }
    left = {name: version for name, version in inside.distributions.items() if name not in gone}
    check_requirements(plugins, replace(inside, distributions=left))
    _check_room(tree, plugins, inside, {path for record in replaced for path in record["files"]}, gone)
    _remove(tree, replaced)
    for plugin in plugins:
        for path, file in plugin.files.items():
            _write(tree / path, file.data, executable=file.executable)
    with mounted(tree):
        _compile(tree)
        try_out.try_out(tree, plugins)
    records = sorted([*kept, *(plugin.record() for plugin in plugins)], key=lambda one: str(one["file"]))
    write(tree / RECORD, json.dumps({"format": 1, "plugins": records}, indent=2, sort_keys=True) + "\n")
    return records


def read_record(tree: Path) -> list[Record]:
    """The records of a tree's plugins. Raises InputError where another version wrote them."""
    try:
        document = json.loads((tree / RECORD).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return []
    except ValueError as error:
        raise InputError(f"/{RECORD} of the image can't be read: {error}") from error
    if not isinstance(document, dict) or document.get("format") != 1:
        raise InputError(f"/{RECORD} of the image is of a newer node-image")
    records = list(document["plugins"])
    for record in records:
        own = (f"{FOLDER}/", *(own_folders(record["package"]) if "package" in record else ()))
        for path in record["files"]:
            # What stands there is going to be removed, and whoever made the image wrote it.
            if wrong_with_name(path) or not path.startswith(own) or _leads_away(tree, path):
                raise InputError(f"/{RECORD} of the image names /{path}, which is no plugin's")
    return records


def _leads_away(tree: Path, path: str) -> str:
    """The folder on the way to a path that is a link or no folder at all; "" where there is none."""
    parts = path.split("/")
    for depth in range(1, len(parts)):
        above = "/".join(parts[:depth])
        if (tree / above).is_symlink() or ((tree / above).exists() and not (tree / above).is_dir()):
            return above
    return ""


def _split(records: Iterable[Record], plugins: Sequence[Plugin]) -> tuple[list[Record], list[Record]]:
    """The records that stay, and those that the plugins replace."""
    names = {one.key for plugin in plugins for one in plugin.distributions}
    packages = {plugin.package for plugin in plugins if plugin.package}
    kept: list[Record] = []
    replaced: list[Record] = []
    for record in records:
        own = {canonicalize_name(one["name"]) for one in record["distributions"]}
        (replaced if own & names or record.get("package") in packages else kept).append(record)
    return kept, replaced


def _check_room(
    tree: Path, plugins: Sequence[Plugin], inside: Inside, going: set[str], gone: set[str]
) -> None:
    """Refuse what would take the place of anything that the tree has, or would be hidden by it."""
    errors = []
    points = _entry_points(tree, gone)
    for plugin in plugins:
        errors += [
            InputError(f"{plugin.source}: the image has {each}, which it would replace")
            for each in _taken(tree, plugin, going)
        ]
        if plugin.package in inside.packages:
            errors.append(InputError(f"{plugin.source}: the image has the package {plugin.package} already"))
        for one in plugin.distributions:
            if one.key in inside.distributions and one.key not in gone:
                version = inside.distributions[one.key]
                errors.append(InputError(f"{plugin.source}: the image has {one.name} {version} of Debian's"))
            errors += [
                InputError(f"{plugin.source}: the plugin {point} is {points[point]}'s already")
                for point in one.points
                if point in points
            ]
    refuse(errors)


def _taken(tree: Path, plugin: Plugin, going: set[str]) -> list[str]:
    """Paths and folders of its own that are there, and modules that the image's own would hide."""
    found = set()
    for path in plugin.files:
        # Nothing may be led out of the tree, or into another folder of it.
        if above := _leads_away(tree, path):
            found.add(f"/{above}")
        if path not in going and os.path.lexists(tree / path):
            found.add(f"/{path}")
        if path.startswith(f"{FOLDER}/"):
            module = path.removeprefix(f"{FOLDER}/").split("/")[0]
            if hidden := _hides(tree, module):
                found.add(hidden)
    for own in own_folders(plugin.package) if plugin.package else ():
        if (tree / own).is_dir() and not any(path.startswith(own) for path in going):
            found.add(f"/{own}")
    return sorted(found)


def _hides(tree: Path, module: str) -> str:
    """The module of the image or of Python itself that Python would find before a plugin's; "" where none."""
    name = module.removesuffix(".py")
    if name in sys.stdlib_module_names:
        return f"Python's own module {name}"
    folder = tree / DIST_PACKAGES
    for path in (folder / name / "__init__.py", folder / f"{name}.py", *folder.glob(f"{name}.*.so")):
        if path.exists():
            return f"a module {name}"
    return ""


def _entry_points(tree: Path, gone: set[str]) -> dict[str, str]:
    """The names of the tree's plugins, and which distribution each is of."""
    found = importlib.metadata.distributions(path=[str(tree / DIST_PACKAGES), str(tree / FOLDER)])
    return {
        point.name: one.name
        for one in found
        for point in one.entry_points
        if point.group == PROJECT and canonicalize_name(one.name) not in gone
    }


def _remove(tree: Path, records: Iterable[Mapping[str, Any]]) -> None:
    for record in records:
        for path in record["files"]:
            (tree / path).unlink(missing_ok=True)
            _remove_empty(tree, (tree / path).parent)


def _remove_empty(tree: Path, folder: Path) -> None:
    """Remove folders that hold nothing but what was compiled, upwards."""
    while folder not in (tree, tree / FOLDER):
        if not folder.is_dir():
            folder = folder.parent
            continue
        if any(one.name != "__pycache__" for one in folder.iterdir()):
            return
        shutil.rmtree(folder)
        folder = folder.parent


def _write(path: Path, data: bytes, *, executable: bool) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    path.chmod(0o755 if executable else 0o644)


def _compile(tree: Path) -> None:
    """Compile the modules; by digest and not by time, so that the same sources give the same bytes.

    A module that can't be compiled, as templates of modules are, is a matter of whoever imports it.
    """
    for folder in sorted((tree / FOLDER).rglob("__pycache__")):
        shutil.rmtree(folder)
    argv = ["python3", "-I", "-m", "compileall", "-q", "-j", "1", "--invalidation-mode", "checked-hash"]
    try:
        run_inside(tree, [*argv, f"/{FOLDER}"])
    except CommandFailedError as error:
        if error.status != 1:
            raise
