"""The answers: one validated document, each value with its origin."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, TypeVar

from pydantic import BaseModel, ConfigDict

from node.model.origin import DEFAULT, Origin, Precedence
from node.model.page import Page


class SectionModel(BaseModel):
    """A section of the answers as its plugin defines it: frozen, unknown keys refused.

    `key` is the section's name in the document; `persists` says that it outlives the install, in the state;
    `schema_version` is that of its stored form, one higher with each change that needs `node_migrate`.
    Every field needs a default, so that an empty document is complete.
    """

    # A serial number of digits alone is written without quotes by everyone: numbers may be text.
    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True, coerce_numbers_to_str=True)

    key: ClassVar[str]
    persists: ClassVar[bool] = False
    schema_version: ClassVar[int] = 1
    secret: ClassVar[frozenset[str]] = frozenset()
    """Dotted keys within the section whose values are never shown, such as `admin.password_hash`."""


Kind = TypeVar("Kind", bound=SectionModel)


@dataclass(frozen=True)
class Layer:
    """What one front end says: a nested document, and for each dotted key the place it stands at.

    `values` is as it was read, not yet validated. `places` may name a parent for all below it.
    """

    precedence: Precedence
    values: Mapping[str, Any]
    name: str = ""
    places: Mapping[str, str] = field(default_factory=dict)

    def origin(self, key: str) -> Origin:
        """Give the origin of a dotted key: its own place or its nearest parent's, else the layer's name."""
        parts = key.split(".")
        for end in range(len(parts), 0, -1):
            if place := self.places.get(".".join(parts[:end])):
                return Origin(self.precedence, place)
        return Origin(self.precedence, self.name)


@dataclass(frozen=True)
class Answers:
    """The merged and validated document. `origins` maps dotted keys (`storage.disk.serial`) to origins."""

    sections: Mapping[str, SectionModel]
    origins: Mapping[str, Origin] = field(default_factory=dict)

    def __getitem__(self, kind: type[Kind]) -> Kind:
        """Give a section by its model; its defaults where no plugin offered it."""
        found = self.sections.get(kind.key)
        return found if isinstance(found, kind) else kind()

    def origin(self, key: str) -> Origin:
        """Give the origin of a dotted key or of its nearest parent that has one."""
        parts = key.split(".")
        for end in range(len(parts), 0, -1):
            if origin := self.origins.get(".".join(parts[:end])):
                return origin
        return DEFAULT

    def persistent(self) -> dict[str, Any]:
        """Give what outlives the install: section key -> plain values, those that were set."""
        return {
            key: section.model_dump(mode="json", exclude_defaults=True)
            for key, section in self.sections.items()
            if section.persists
        }

    def said(self) -> tuple[str, ...]:
        """Give the dotted fields of what outlives the install that somebody said: no default, nor the image.

        A field that holds a mapping or a list is named as a whole; an empty mapping says nothing.
        """
        found: dict[str, None] = {}
        for key, origin in self.origins.items():
            name, *rest = key.split(".")
            section = self.sections.get(name)
            if origin.precedence > Precedence.IMAGE and section is not None and section.persists:
                field_ = _field(section, rest)
                found |= {".".join((name, *field_)): None} if field_ else {}
        return tuple(sorted(found))

    def section_versions(self) -> dict[str, int]:
        """Give the versions of the persistent sections that are beyond the first, as the state has them."""
        versions = {key: each.schema_version for key, each in self.sections.items() if each.persists}
        return {key: version for key, version in versions.items() if version != 1}


def _field(model: BaseModel, parts: Sequence[str]) -> tuple[str, ...]:
    """Give the names down to the field that a dotted key is of or lies in; none where it says nothing."""
    if not parts:
        return ()
    fields = type(model).model_fields
    name = next((name for name, each in fields.items() if parts[0] in (name, each.alias)), "")
    value = getattr(model, name, None)
    if isinstance(value, BaseModel):
        below = _field(value, parts[1:])
        return (name, *below) if below else ()
    return (name,) if name and not (isinstance(value, Mapping) and not value) else ()


@dataclass(frozen=True)
class Section:
    """A section as `node_sections` offers it. `title` and `help` serve the screens and the documentation.

    `pages` are what the screens ask; without any, one is made from the model's fields and their descriptions.
    """

    model: type[SectionModel]
    title: str
    help: str = ""
    pages: tuple[Page, ...] = ()

    @property
    def key(self) -> str:
        """The section's name in the document."""
        return self.model.key


def sections_by_key(sections: Sequence[Section]) -> dict[str, type[SectionModel]]:
    """Give the models by their key; the first one offered under a key has it."""
    models: dict[str, type[SectionModel]] = {}
    for section in sections:
        models.setdefault(section.key, section.model)
    return models
