"""A plugin as it was given: what it says of itself and every file that it brings. Pure."""

from __future__ import annotations

import configparser
import hashlib
import importlib.metadata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from packaging.utils import canonicalize_name

from node.errors import InputError
from node.hookspecs import PROJECT
from node.plugin_host.finding import api_range
from node.system import plugin_folders

# Relative to the tree, like all paths here.
FOLDER = str(plugin_folders.OF_THE_IMAGE).lstrip("/")


@dataclass(frozen=True)
class PluginFile:
    """A file of a plugin; where it lies in the tree is its key in `Plugin.files`."""

    data: bytes
    executable: bool = False


@dataclass(frozen=True)
class Distribution:
    """A Python distribution, by its metadata. `points` are its entry points of our group, name to value.

    `api` is the range of versions of the plugin interface that it is made for, both ends included.
    """

    name: str
    version: str
    points: Mapping[str, str]
    requires: tuple[str, ...] = ()
    requires_python: str = ""
    scripts: tuple[str, ...] = ()
    api: tuple[int, int] = (1, 1)

    def __str__(self) -> str:
        return f"{self.name} {self.version}"

    @property
    def key(self) -> str:
        """The name as Python compares it."""
        return canonicalize_name(self.name)


@dataclass(frozen=True)
class Plugin:
    """A file that a user gave: `source` is its name, `files` what it puts where, relative to the tree.

    `package` and `depends` are those of a Debian package: its name, "" for a wheel, and what it needs.
    """

    source: str
    sha256: str
    distributions: tuple[Distribution, ...]
    files: Mapping[str, PluginFile]
    package: str = ""
    depends: str = ""

    def record(self) -> dict[str, Any]:
        """What the manifest and the image say of it."""
        return {
            "file": self.source,
            "sha256": self.sha256,
            **({"package": self.package} if self.package else {}),
            "distributions": [
                {"name": one.name, "version": one.version, "entry_points": dict(one.points)}
                for one in self.distributions
            ],
            "files": {path: hashlib.sha256(self.files[path].data).hexdigest() for path in sorted(self.files)},
        }


def read_distribution(source: str, metadata: bytes, entry_points: bytes | None) -> Distribution:
    """A distribution by its METADATA (or PKG-INFO) and entry_points.txt. Raises InputError."""
    from packaging.metadata import parse_email  # noqa: PLC0415 - with the parser of e-mail, a while

    raw, _ = parse_email(metadata)
    name, version = raw.get("name"), raw.get("version")
    if not name or not version:
        raise InputError(f"{source}: its metadata names no distribution and version")
    groups = _groups(source, entry_points)
    points = groups.get(PROJECT, {})
    for point, value in points.items():
        if not importlib.metadata.EntryPoint.pattern.match(value):
            raise InputError(f"{source}: its entry point {point} = {value!r} is none")
    return Distribution(
        name=name,
        version=version,
        points=points,
        requires=tuple(raw.get("requires_dist", ())),
        requires_python=raw.get("requires_python", ""),
        scripts=tuple(sorted(groups.get("console_scripts", {}))),
        api=api_range(" ".join(raw.get("keywords", []))),
    )


class _EntryPoints(configparser.ConfigParser):
    def optionxform(self, optionstr: str) -> str:
        """Names of entry points have a case."""
        return optionstr


def _groups(source: str, entry_points: bytes | None) -> dict[str, dict[str, str]]:
    if entry_points is None:
        return {}
    parser = _EntryPoints(delimiters=("=",), interpolation=None)
    try:
        parser.read_string(entry_points.decode())
    except (configparser.Error, UnicodeDecodeError) as error:
        words = " ".join(str(error).split())
        raise InputError(f"{source}: its entry_points.txt can't be read", details=words) from error
    return {group: {k: v.strip() for k, v in parser[group].items()} for group in parser.sections()}
