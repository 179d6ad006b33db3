"""Pages of sections as data."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from pydantic import TypeAdapter

from node.model.page import (
    ChoiceField,
    DocumentField,
    Field,
    ListField,
    NumberField,
    Page,
    SecretField,
    SizeField,
    TextField,
    ToggleField,
    ViewField,
)
from node.plugin_host.words import shown_all

_KINDS: dict[str, type[Field]] = {
    kind.__name__: kind
    for kind in (
        TextField,
        NumberField,
        SizeField,
        SecretField,
        ToggleField,
        ChoiceField,
        ListField,
        DocumentField,
        ViewField,
    )
}


def page_to_data(page: Page) -> dict[str, Any]:
    """Give a page as plain data; ValueError where a field is of no kind that the screens have."""
    fields = []
    for field in page.fields:
        kind = next((one.__name__ for one in type(field).__mro__ if one.__name__ in _KINDS), None)
        if kind is None or not isinstance(field, Field):
            raise ValueError(f"the page '{page.key}' has a {type(field).__name__}, which is no field")
        fields.append({"kind": kind, **_adapter(kind).dump_python(field, mode="json")})
    return {
        "key": page.key,
        "title": page.title,
        "help": page.help,
        "order": page.order,
        "asked": page.asked,
        "fields": fields,
    }


def page_from_data(data: Mapping[str, Any]) -> Page:
    """Make a page again, its words fit to be shown; ValueError or KeyError where it is none."""
    fields = []
    for one in data["fields"]:
        values = dict(one)
        kind = str(values.pop("kind"))
        fields.append(_adapter(kind).validate_python(values))
    page = _adapter("Page").validate_python({**data, "fields": []})
    return shown_all(
        Page(page.key, page.title, page.help, page.order, fields=tuple(fields), asked=bool(page.asked))
    )


@cache
def _adapter(name: str) -> TypeAdapter[Any]:
    return TypeAdapter(Page if name == "Page" else _KINDS[name])
