"""Decides by metadata alone which plugins are loaded, and says in words why one is not."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from node.hookspecs import API_VERSION
from node.model.near import nearest
from node.plugin_host.finding import Outside

LEFT_OUT = "NODECRUST_PLUGINS leaves it out"
_NAME = re.compile(r"[a-z0-9](?:[a-z0-9._-]{0,62}[a-z0-9])?")


@dataclass(frozen=True)
class Refused:
    """A plugin that is not loaded, and why, in the words of a problem."""

    plugin: Outside
    why: str
    mend: str


@dataclass(frozen=True)
class Choice:
    """What is to be loaded, in this order: `built_in` names, then `outside`.

    `left_out` has every built-in that is not, and why, `unwanted` the plugins that NODECRUST_PLUGINS leaves
    out; `replaced` the built-ins that a plugin stands in for; `absent` what NODECRUST_PLUGINS names and is
    not here, each with the name that is nearest, "" where none is near.
    """

    built_in: tuple[str, ...]
    outside: tuple[Outside, ...]
    refused: tuple[Refused, ...] = ()
    left_out: dict[str, str] = field(default_factory=dict)
    replaced: dict[str, str] = field(default_factory=dict)
    unwanted: tuple[Outside, ...] = ()
    absent: dict[str, str] = field(default_factory=dict)

    @property
    def missing(self) -> tuple[str, ...]:
        """The built-ins that are left out while nothing stands in for them."""
        left_out = (name for name, why in self.left_out.items() if why == LEFT_OUT)
        return tuple(name for name in left_out if name not in self.replaced)


@dataclass(frozen=True)
class Wish:
    """NODECRUST_PLUGINS: `only` limits the plugins from outside, None for all; `without` leaves any out."""

    only: frozenset[str] | None = None
    without: frozenset[str] = frozenset()

    @classmethod
    def read(cls, text: str | None) -> Wish:
        """Read `a,b` (these from outside), `-a` (all but this one, a built-in too) or "" (none)."""
        if text is None:
            return cls()
        words = [word.strip() for word in text.split(",")]
        without = frozenset(word[1:] for word in words if word.startswith("-"))
        only = frozenset(word for word in words if word and not word.startswith("-"))
        return cls(None if without and not only else only, without)

    @property
    def names(self) -> frozenset[str]:
        """Every name in it."""
        return self.without | (self.only or frozenset())


def choose(found: Sequence[Outside], built_ins: Sequence[str], wish: Wish) -> Choice:
    """Choose. `found` is in the order of names; of two that claim one thing the first one has it."""
    outside: dict[str, Outside] = {}
    refused: list[Refused] = []
    unwanted: list[Outside] = []
    left_out = {name: LEFT_OUT for name in built_ins if name in wish.without}
    replaced: dict[str, str] = {}
    for plugin in found:
        if plugin.name in wish.without or (wish.only is not None and plugin.name not in wish.only):
            unwanted.append(plugin)
        elif wrong := _wrong(plugin, built_ins, outside, replaced, left_out):
            refused.append(Refused(plugin, *wrong))
            # What it was to replace stays off: it is there to keep that from being done.
            replaced |= {name: plugin.name for name in plugin.replaces if name not in replaced}
        else:
            outside[plugin.name] = plugin
            replaced |= dict.fromkeys(plugin.replaces, plugin.name)
    kept = tuple(name for name in built_ins if name not in replaced and name not in left_out)
    left_out |= {
        name: f"plugin {by} stands in for it"
        for name, by in replaced.items()
        if name in built_ins and name not in left_out
    }
    here = [*dict.fromkeys([*(plugin.name for plugin in found), *built_ins])]
    absent = {name: nearest(name, here) for name in sorted(wish.names) if name not in here}
    return Choice(kept, tuple(outside.values()), tuple(refused), left_out, replaced, tuple(unwanted), absent)


def _wrong(  # noqa: PLR0911 - one return a rule
    plugin: Outside,
    built_ins: Sequence[str],
    others: dict[str, Outside],
    replaced: dict[str, str],
    left_out: dict[str, str],
) -> tuple[str, str] | None:
    """Say what keeps it from being loaded and how to mend that; None where nothing does."""
    low, high = plugin.api
    if not low <= API_VERSION <= high:
        wants = f"version {low}" if low == high else f"versions {low} to {high}"
        newer = "Use a newer image" if low > API_VERSION else "Install a newer version of it"
        return f"wants {wants} of the plugin interface; this is {API_VERSION}", newer
    if not _NAME.fullmatch(plugin.name):
        return "has a name that can't be one", "Name it with small letters, digits, dots and dashes"
    if other := others.get(plugin.name):
        return f"has the name of the plugin of {other.provider}", "Rename one of the two, or remove one"
    for name in plugin.replaces:
        if name not in built_ins:
            near = nearest(name, built_ins)
            hint = f"Did you mean {near}?" if near else f"The built-in plugins are: {', '.join(built_ins)}"
            return f"stands in for '{name}', which is no built-in plugin", hint
        if name in replaced:
            return f"stands in for {name}, as plugin {replaced[name]} does", "Remove one of the two"
    if plugin.name in built_ins and plugin.name not in plugin.replaces and plugin.name not in left_out:
        return "has the name of a built-in plugin", "Rename it, or let it say that it stands in for that one"
    return None
