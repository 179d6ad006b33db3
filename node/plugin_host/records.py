"""What is known of each plugin: its state, its hooks and how long its calls took."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from node.plugin_host.finding import Outside
from node.plugin_host.words import shown


@dataclass(frozen=True)
class Answered:
    """What one plugin gave for one hook."""

    plugin: str
    value: Any


@dataclass(frozen=True)
class Timing:
    """How often something was done, how long that took in all, and the longest."""

    times: int = 0
    all_s: float = 0.0
    longest_s: float = 0.0

    def after(self, seconds: float) -> Timing:
        """Give it with one more."""
        return Timing(self.times + 1, self.all_s + seconds, max(self.longest_s, seconds))


@dataclass(frozen=True)
class Record:
    """What is known of a plugin. `state` is `loaded`, `failed`, `refused` or `left out`, `why` says more.

    `distribution` and `version` are empty for built-ins.
    """

    name: str
    state: str
    why: str = ""
    distribution: str = ""
    version: str = ""
    outside: bool = False
    hooks: tuple[str, ...] = ()
    import_s: float = 0.0
    calls: Mapping[str, Timing] = field(default_factory=dict)
    stands_in_for: tuple[str, ...] = ()

    @property
    def called(self) -> str:
        """The plugin as problems name it: with its distribution where it has one."""
        provider = f"{self.distribution} {self.version}".strip()
        return f"plugin {self.name} ({shown(provider, 100)})" if provider else f"plugin {self.name}"


def record_of(
    one: Outside, state: str, *, why: str = "", hooks: tuple[str, ...] = (), import_s: float = 0.0
) -> Record:
    """Give the record of a plugin from outside."""
    return Record(
        one.name, state, why, one.distribution, one.version, outside=True, hooks=hooks, import_s=import_s,
        stands_in_for=one.replaces,
    )  # fmt: skip
