"""Settles which of several plugins does what only one can do, by a rule that can be told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from node.hookspecs import Support
from node.model.plan import Chosen


@dataclass(frozen=True)
class Contest:
    """Who offers a capability, by name with the level of support, and who of them is from outside."""

    capability: str
    offered: Mapping[str, int]
    outside: frozenset[str] = frozenset()

    @property
    def order(self) -> tuple[str, ...]:
        """The names, the best first: by support, of equals a built-in first, and then by name."""
        return tuple(sorted(self.offered, key=lambda name: (-self.offered[name], name in self.outside, name)))

    def won_by(self, winner: str) -> tuple[Chosen, ...]:
        """Say why, where there was more than one to choose from."""
        others = [name for name in self.order if name != winner]
        if not others:
            return ()
        better = [name for name in others if self.order.index(name) < self.order.index(winner)]
        if better:
            why = f"{', '.join(better)} failed"
        elif self.offered[others[0]] < self.offered[winner]:
            why = f"it knows this machine better ({self._level(winner)}) than {self._told(others)}"
        else:
            first = (
                "a built-in comes first" if others[0] in self.outside and winner not in self.outside else ""
            )
            why = f"of equals {first or 'the first by name counts'}; there is also {self._told(others)}"
        return (Chosen(self.capability, winner, why),)

    def _told(self, names: list[str]) -> str:
        return ", ".join(f"{name} ({self._level(name)})" for name in names)

    def _level(self, name: str) -> str:
        level = self.offered[name]
        return Support(level).name.lower() if level in list(Support) else str(level)
