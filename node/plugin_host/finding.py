"""Finds plugins from outside by the metadata of installed distributions; nothing of theirs is imported."""

from __future__ import annotations

import importlib.metadata
import re
from collections.abc import Iterable
from dataclasses import dataclass

from node.hookspecs import PROJECT

# name = "module" or "module:object", as in every group of entry points.
GROUP = PROJECT
# name of the plugin = "name of the built-in that it stands in for".
REPLACES = f"{PROJECT}.replaces"
# A keyword is one line of pyproject.toml, any build tool passes it on, and no installer takes it for more.
_KEYWORD = re.compile(rf"{PROJECT}-api=([0-9]+)(?:-([0-9]+))?")
_HEADER = re.compile(r"^(Name|Version|Keywords):[ \t]*(.*)$", re.MULTILINE | re.IGNORECASE)
# Distributions that say nothing were written for the first version.
_FIRST = (1, 1)


@dataclass(frozen=True)
class Outside:
    """An entry point of the group `nodecrust` and the distribution that brings it.

    `api` is the range of versions of the plugin interface, both ends included; `replaces` names built-ins.
    """

    name: str
    value: str
    distribution: str
    version: str
    api: tuple[int, int] = _FIRST
    replaces: tuple[str, ...] = ()

    @property
    def provider(self) -> str:
        """The distribution with its version, as problems name it."""
        return f"{self.distribution} {self.version}".strip()


def find_outside(
    distributions: Iterable[importlib.metadata.Distribution] | None = None,
) -> tuple[Outside, ...]:
    """Give every plugin from outside, by name and then by distribution.

    Of two distributions of one name the one that is found first on the path counts, as it does for imports.
    """
    found: dict[str, tuple[Outside, ...]] = {}
    for distribution in importlib.metadata.distributions() if distributions is None else distributions:
        try:
            plugins = _plugins_of(distribution)
        except (OSError, ValueError):  # half removed, or no text: nothing can be loaded from it
            continue
        if plugins:
            found.setdefault(_normalized(plugins[0].distribution), plugins)
    return tuple(
        sorted((one for each in found.values() for one in each), key=lambda one: (one.name, one.provider))
    )


def api_range(keywords: str) -> tuple[int, int]:
    """Read `nodecrust-api=1` or `nodecrust-api=1-3` among the keywords of a distribution."""
    for word in re.split(r"[,\s]+", keywords):
        if match := _KEYWORD.fullmatch(word):
            low = int(match[1])
            return (low, int(match[2] or low))
    return _FIRST


def _plugins_of(distribution: importlib.metadata.Distribution) -> tuple[Outside, ...]:
    text = distribution.read_text("entry_points.txt")
    if not text or f"[{GROUP}]" not in text:
        return ()
    points = distribution.entry_points
    headers = _headers(distribution)
    replaces = [(point.name, point.value) for point in points if point.group == REPLACES]
    return tuple(
        Outside(
            point.name,
            point.value,
            headers.get("name", "a distribution without a name"),
            headers.get("version", ""),
            api_range(headers.get("keywords", "")),
            tuple(sorted(value for name, value in replaces if name == point.name)),
        )
        for point in points
        if point.group == GROUP
    )


def _headers(distribution: importlib.metadata.Distribution) -> dict[str, str]:
    """Give the headers that count; the standard library's parser of mail takes ten times as long."""
    text = distribution.read_text("METADATA") or distribution.read_text("PKG-INFO") or ""
    head = re.sub(r"\r?\n[ \t]+", " ", text.partition("\n\n")[0])
    found: dict[str, str] = {}
    for name, value in _HEADER.findall(head):
        found.setdefault(name.lower(), value.strip())
    return found


def _normalized(name: str) -> str:
    """Give the name as PEP 503 compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()
