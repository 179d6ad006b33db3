"""Merges what every front end says into one validated document, with every problem and its origin."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

from node.installer.keys import KnownKeys
from node.installer.validation import validate_section
from node.model.answers import Answers, Layer, SectionModel
from node.model.origin import DEFAULT, Origin
from node.model.problem import Problem

VERSION = 1


@dataclass(frozen=True)
class Merged:
    """The layers as one document: `origins` has an entry for every dotted key, mappings and items too."""

    values: Mapping[str, Any]
    origins: Mapping[str, Origin] = field(default_factory=dict)


def merge(layers: Sequence[Layer]) -> Merged:
    """Merge layers by precedence; those of equal precedence in the order given, the last one overruling.

    Mappings are merged key by key; everything else, lists included, is replaced as a whole.
    """
    values: dict[str, Any] = {}
    origins: dict[str, Origin] = {}
    for layer in sorted(layers, key=lambda layer: layer.precedence):
        _lay_over(values, layer.values, "", layer, origins)
    return Merged(values, origins)


def validate(merged: Merged, models: Mapping[str, type[SectionModel]]) -> tuple[Answers, tuple[Problem, ...]]:
    """Give the answers and every problem at once.

    What is wrong is left out of the answers, so that later checks see the rest; while there are problems,
    nothing may be written.
    """
    known = KnownKeys(models)
    problems: list[Problem] = []
    sections: dict[str, SectionModel] = {}
    for key, value in merged.values.items():
        if key == "version":
            problems.extend(_check_version(value, merged))
        elif key not in models:
            problems.append(_unknown_section(key, models, known, merged))
    for key, model in models.items():
        sections[key], found = validate_section(model, merged.values.get(key), merged.origins, known)
        problems.extend(found)
    origins = dict.fromkeys(known.leaves(), DEFAULT) | dict(merged.origins)
    return Answers(sections, origins), tuple(sorted(problems, key=_by_place))


def _lay_over(
    below: dict[str, Any], above: Mapping[str, Any], prefix: str, layer: Layer, origins: dict[str, Origin]
) -> None:
    for name, value in above.items():
        key = f"{prefix}{name}"
        # An empty section or mapping in a file says nothing, it doesn't take away what lies below.
        if isinstance(value, Mapping) or (value is None and isinstance(below.get(name), dict)):
            if not isinstance(below.get(name), dict):
                _forget(key, origins)
                below[name] = {}
            origins[key] = layer.origin(key)
            _lay_over(below[name], value or {}, f"{key}.", layer, origins)
            continue
        _forget(key, origins)
        below[name] = value
        origins[key] = layer.origin(key)
        if isinstance(value, list):
            _remember_items(value, key, layer, origins)


def _remember_items(items: Sequence[Any], key: str, layer: Layer, origins: dict[str, Origin]) -> None:
    for number, item in enumerate(items):
        inner = f"{key}.{number}"
        origins[inner] = layer.origin(inner)
        if isinstance(item, Mapping):
            for name in item:
                origins[f"{inner}.{name}"] = layer.origin(f"{inner}.{name}")


def _forget(key: str, origins: dict[str, Origin]) -> None:
    for stale in [name for name in origins if name == key or name.startswith(f"{key}.")]:
        del origins[stale]


def _check_version(value: Any, merged: Merged) -> list[Problem]:
    if value in (VERSION, str(VERSION)) and not isinstance(value, bool):
        return []
    shown = value if isinstance(value, int | str | float) else "that"
    return [
        Problem(
            "answers-version",
            "version",
            f"is {shown}, which this version of Nodecrust doesn't know",
            f"Write version: {VERSION}",
            merged.origins.get("version"),
        )
    ]


def _unknown_section(
    key: str, models: Mapping[str, type[SectionModel]], known: KnownKeys, merged: Merged
) -> Problem:
    near = get_close_matches(key, models, n=1, cutoff=0.6)
    nearest = near[0] if near else known.nearest(key)
    listed = ", ".join(models) or "none"
    mend = f"Did you mean {nearest}?" if nearest else f"The sections are: {listed}"
    return Problem("unknown-section", key, "is no section of the answers", mend, merged.origins.get(key))


def _by_place(problem: Problem) -> tuple[int, str, int, str]:
    """In the order in which a reader meets them: by file, then by line."""
    if problem.origin is None:
        return (0, "", 0, problem.where)
    place, _, line = problem.origin.place.rpartition(", line ")
    return (problem.origin.precedence, place, int(line) if line.isdigit() else 0, problem.where)
