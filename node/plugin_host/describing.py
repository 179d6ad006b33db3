"""Describes sections for the stand-ins of `sections`; runs in the host, where their models are."""

from __future__ import annotations

import types
from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import to_jsonable_python

from node.model.answers import Section, SectionModel
from node.model.kinds import kinds
from node.plugin_host.pages import page_to_data

_NAMES: dict[Any, str] = {
    str: "text",
    int: "number",
    float: "fraction",
    bool: "boolean",
    list: "list",
    tuple: "list",
    set: "list",
    frozenset: "list",
    dict: "mapping",
}


def describe_section(section: Section) -> dict[str, Any]:
    """Give a section as plain data; ValueError, in words, where it can't be one."""
    model = section.model
    if not (isinstance(model, type) and issubclass(model, SectionModel)):
        raise ValueError("its section has a model that is no SectionModel")  # noqa: TRY004
    key = getattr(model, "key", None)
    if not isinstance(key, str):
        raise ValueError("its section has no key")  # noqa: TRY004 - as above
    try:
        defaults = model().model_dump(mode="json")
    except Exception as error:
        raise ValueError(f"its section '{key}' has no defaults: {type(error).__name__}") from None
    return {
        "key": key,
        "title": section.title,
        "help": section.help,
        "persists": model.persists,
        "schema_version": model.schema_version,
        "secret": sorted(model.secret),
        "pages": [page_to_data(page) for page in section.pages],
        "fields": _fields(model, defaults),
    }


def judge(model: type[SectionModel], values: Any) -> dict[str, Any]:
    """Say what the model makes of values: them as it has them, or every error."""
    try:
        made = model.model_validate(values)
    except ValidationError as error:
        return {"errors": [_error(one) for one in error.errors(include_url=False)]}
    return {"values": made.model_dump(mode="json"), "set": sorted(made.model_fields_set)}


def _fields(model: type[BaseModel], defaults: Mapping[str, Any] | None) -> list[dict[str, Any]]:
    found = []
    for name, field in model.model_fields.items():
        types_ = tuple(kinds(field.annotation))
        nested = [kind for kind in types_ if isinstance(kind, type) and issubclass(kind, BaseModel)]
        default = (defaults or {}).get(name)
        inner = default if isinstance(default, Mapping) else None
        found.append(
            {
                "name": name,
                "alias": field.alias,
                "description": field.description or "",
                "default": default,
                "optional": types.NoneType in types_,
                "kinds": [_NAMES.get(kind, "any") for kind in types_ if kind is not types.NoneType],
                "choices": _choices(types_, field.annotation),
                "fields": _fields(nested[0], inner) if nested else None,
            }
        )
    return found


def _choices(types_: Sequence[Any], annotation: Any) -> list[Any]:
    if get_origin(annotation) is Literal:
        return list(get_args(annotation))
    if len(types_) == 1 and isinstance(types_[0], type) and issubclass(types_[0], Enum):
        return [one.value for one in types_[0]]
    return []


def schema_of(model: type[SectionModel]) -> dict[str, Any]:
    """Give a model's JSON Schema, whole in itself; of a model that has none, that it is a mapping."""
    try:
        schema = model.model_json_schema()
        definitions = schema.pop("$defs", {})
        inlined: dict[str, Any] = _inlined(schema, definitions, 0)
    except Exception:
        return {"type": "object"}
    return inlined


def _inlined(value: Any, definitions: Mapping[str, Any], depth: int) -> Any:
    if depth > 40:
        return {}  # a model that holds itself
    if isinstance(value, list):
        return [_inlined(one, definitions, depth + 1) for one in value]
    if not isinstance(value, dict):
        return value
    if reference := value.get("$ref"):
        found = definitions.get(str(reference).rpartition("/")[2], {})
        rest = {key: one for key, one in value.items() if key != "$ref"}
        return _inlined({**found, **rest}, definitions, depth + 1)
    return {key: _inlined(one, definitions, depth + 1) for key, one in value.items()}


def _error(one: Any) -> dict[str, Any]:
    context = {}
    for key, value in (one.get("ctx") or {}).items():
        try:
            context[key] = to_jsonable_python(value)
        except Exception:
            context[key] = str(value)
    try:
        given = to_jsonable_python(one.get("input"))
    except Exception:
        given = None
    return {"type": one["type"], "loc": list(one["loc"]), "msg": one["msg"], "input": given, "ctx": context}
