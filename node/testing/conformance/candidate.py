"""The distribution under test: installed, or a folder with its pyproject.toml. Nothing of it is imported."""

from __future__ import annotations

import importlib.metadata
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from node.errors import InputError
from node.hookspecs import PROJECT


@dataclass(frozen=True)
class Candidate:
    """A distribution with its plugins: name of the entry point -> `module` or `module:object`.

    `keywords` say which versions of the interface it was written for, `readme` tells whether it describes
    itself, and `paths` are put on Python's path.
    """

    distribution: str
    version: str
    points: Mapping[str, str]
    keywords: tuple[str, ...] = ()
    readme: bool = False
    paths: tuple[str, ...] = ()


def find_candidate(name: str) -> Candidate:
    """Find a distribution by its name, or by its folder; InputError where there is none with a plugin."""
    folder = Path(name)
    found = _of_folder(folder) if (folder / "pyproject.toml").is_file() else _of_installed(name)
    if not found.points:
        raise InputError(
            f"{found.distribution} has no entry point in the group {PROJECT}",
            mend=f'Add to pyproject.toml: [project.entry-points.{PROJECT}] and NAME = "MODULE"',
        )
    return found


def _of_installed(name: str) -> Candidate:
    try:
        found = importlib.metadata.distribution(name)
    except (importlib.metadata.PackageNotFoundError, ValueError):
        if name.endswith(".whl"):
            mend = f"Install the wheel first (pip install {name}), then name its distribution"
        else:
            mend = "Install it (pip install -e FOLDER), or name the folder of its pyproject.toml"
        raise InputError(f"there is no distribution '{name}' here", mend=mend) from None
    head = found.metadata
    return Candidate(
        head["Name"] or name,
        found.version,
        {point.name: point.value for point in found.entry_points if point.group == PROJECT},
        tuple((head["Keywords"] or "").replace(",", " ").split()),
        bool((_body(head) or head["Description"] or "").strip()),
    )


def _body(head: Any) -> str:
    # The typed view of metadata hides that it is a message.
    return str(head.get_payload() or "")


def _of_folder(folder: Path) -> Candidate:
    path = folder / "pyproject.toml"
    try:
        project = _table(tomllib.loads(path.read_text(encoding="utf-8")), "project")
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: {error}", mend="Mend it; see docs/writing-plugins.md") from None
    points = _table(_table(project, "entry-points"), PROJECT)
    keywords = project.get("keywords")
    paths = [str((folder / part).resolve()) for part in ("src", ".") if (folder / part).is_dir()]
    return Candidate(
        str(project.get("name", folder.resolve().name)),
        str(project.get("version", "")),
        {str(key): str(value) for key, value in points.items()},
        tuple(map(str, keywords)) if isinstance(keywords, list) else (),
        bool(project.get("readme")),
        tuple(paths),
    )


def _table(document: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = document.get(key, {})
    return found if isinstance(found, dict) else {}
