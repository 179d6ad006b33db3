"""The dotted keys that a set of section models knows: for near misses, kernel arguments and documentation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from node.model.answers import SectionModel
from node.model.kinds import kinds


@dataclass(frozen=True)
class KnownKey:
    """One key with its field. `is_list` and `is_boolean` say how one word of a kernel argument is read.

    `is_mapping` says that any key may follow below it (netplan's own document, for instance).
    """

    dotted: str
    field: FieldInfo
    section: type[SectionModel]
    is_list: bool
    is_boolean: bool
    is_mapping: bool
    is_model: bool

    @property
    def secret(self) -> bool:
        """Whether the value is never shown."""
        return is_secret(self.section, self.dotted)


class KnownKeys:
    """All keys of these sections, in the order of the sections and their fields."""

    def __init__(self, models: Mapping[str, type[SectionModel]]) -> None:
        self._keys = {
            known.dotted: known
            for section, model in models.items()
            for known in _walk(model, f"{section}.", model)
        }
        self._sections = set(models)

    def __iter__(self) -> Iterator[KnownKey]:
        return iter(self._keys.values())

    def get(self, dotted: str) -> KnownKey | None:
        """Give a key; dashes count as underscores, as they do for the kernel's own parameters."""
        return self._keys.get(dotted) or self._keys.get(dotted.replace("-", "_"))

    def is_section(self, dotted: str) -> bool:
        """Tell whether this is the name of a section itself."""
        return dotted in self._sections

    def leaves(self) -> tuple[str, ...]:
        """Give the keys that hold values, not models."""
        return tuple(key for key, known in self._keys.items() if not known.is_model)

    def mapping_above(self, dotted: str) -> KnownKey | None:
        """Give the nearest parent below which any key may stand."""
        parts = dotted.split(".")
        for end in range(len(parts) - 1, 0, -1):
            known = self.get(".".join(parts[:end]))
            if known:
                return known if known.is_mapping else None
        return None

    def nearest(self, dotted: str) -> str:
        """Give the known key that a misspelt or misplaced one most likely means, "" where none is near."""
        dotted = dotted.lower()  # all keys are
        name = dotted.rpartition(".")[2].replace("-", "_")
        parent, section = dotted.rpartition(".")[0], dotted.partition(".")[0]
        siblings = {key.rpartition(".")[2]: key for key in self._keys if key.rpartition(".")[0] == parent}
        if near := get_close_matches(name, siblings, n=1, cutoff=0.6):
            return siblings[near[0]]
        # Siblings were asked already, by their names alone: a long beginning that is the same says nothing.
        others = [key for key in self._keys if key.rpartition(".")[0] != parent]
        if near := get_close_matches(dotted, others, n=1, cutoff=0.8):
            return near[0]
        # The right word in the wrong place: storage.serial for storage.disk.serial.
        same = [key for key in self._keys if key.rpartition(".")[2] == name]
        same.sort(key=lambda key: (not key.startswith(f"{section}."), key.count("."), key))
        if same:
            return same[0]
        # Wrong and misspelt: only within the section, since all sections together are like any word.
        inside = {key.rpartition(".")[2]: key for key in self._keys if key.startswith(f"{section}.")}
        near = get_close_matches(name, inside, n=1, cutoff=0.75)
        return inside[near[0]] if near else ""


def is_secret(model: type[SectionModel], dotted: str) -> bool:
    """Tell whether the value at `dotted` (section included) is secret, holds one or lies within one."""
    inner = dotted.partition(".")[2]
    return any(
        inner == secret or secret.startswith(f"{inner}.") or inner.startswith(f"{secret}.") or not inner
        for secret in model.secret
    )


def _walk(model: type[BaseModel], prefix: str, section: type[SectionModel]) -> Iterator[KnownKey]:
    for name, field in model.model_fields.items():
        found = tuple(kinds(field.annotation))
        nested = [kind for kind in found if isinstance(kind, type) and issubclass(kind, BaseModel)]
        dotted = f"{prefix}{field.alias or name}"
        yield KnownKey(
            dotted,
            field,
            section,
            is_list=any(kind in (list, tuple, set, frozenset) for kind in found),
            is_boolean=bool in found,
            is_mapping=any(kind in (dict, Any) for kind in found),
            is_model=bool(nested),
        )
        for inner in nested:
            yield from _walk(inner, f"{dotted}.", section)
