"""Pages of sections: those that a plugin gives, and those made from its model where it gives none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from enum import Enum
from typing import Any, Literal, get_args, get_origin

from node.installer.keys import KnownKey, KnownKeys
from node.model.answers import Section
from node.model.page import (
    ChoiceField,
    DocumentField,
    Field,
    ListField,
    NumberField,
    Page,
    SecretField,
    TextField,
    ToggleField,
)


def pages_of(sections: Sequence[Section]) -> tuple[Page, ...]:
    """Give all pages in their order; of equal order as their sections come.

    A page without fields gets those of its section's model.
    """
    pages: list[Page] = []
    for section in sections:
        given = section.pages or (Page(section.key, section.title, section.help),)
        pages += [page if page.fields else replace(page, fields=fields_of(section)) for page in given]
    return tuple(sorted(pages, key=lambda page: page.order))


def fields_of(section: Section) -> tuple[Field, ...]:
    """Give a field for each value of a section's model, with the description as its help."""
    known = KnownKeys({section.key: section.model})
    return tuple(_field(key) for key in known if not key.is_model)


def _field(known: KnownKey) -> Field:  # noqa: PLR0911 - one return a kind
    label = known.dotted.partition(".")[2].replace("_", " ").replace(".", ", ")
    words: dict[str, Any] = {
        "key": known.dotted,
        "label": label[:1].upper() + label[1:],
        "help": known.field.description or "",
    }
    options = _options(known.field.annotation)
    if known.secret:
        return SecretField(**words, hashed="hash" in known.dotted)
    if options:
        return ChoiceField(**words, options=options)
    if known.is_boolean:
        return ToggleField(**words)
    if known.is_mapping:
        return DocumentField(**words)
    if known.is_list:
        return ListField(**words)
    if known.field.annotation is int:
        return NumberField(**words)
    return TextField(**words)


def _options(annotation: Any) -> tuple[tuple[str, str], ...]:
    if get_origin(annotation) is Literal:
        return tuple((str(value), str(value)) for value in get_args(annotation))
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return tuple((str(each.value), str(each.value)) for each in annotation)
    return ()
