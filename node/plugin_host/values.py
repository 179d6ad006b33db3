"""What hooks get and give, as plain data: written on one side of the border, and validated on the other."""

from __future__ import annotations

import typing
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, is_dataclass
from enum import IntEnum
from functools import cache
from typing import Any

from pydantic import TypeAdapter, ValidationError
from pydantic_core import to_jsonable_python

from node.model.answers import Answers, Section, SectionModel
from node.model.inventory import Inventory, from_json
from node.model.origin import Origin, Precedence
from node.model.registration import Backend
from node.model.state import RenderedFile
from node.model.step import PREPARE, PlannedStep, PrepareStep
from node.plugin_host.describing import describe_section
from node.plugin_host.hooks import Signature
from node.plugin_host.sections import Model, OutsideSection, stand_in
from node.plugin_host.steps import describe_step, planned_step
from node.plugin_host.words import shown, shown_all, sound

# Gives the model of a section by its plugin ("" for a built-in) and its key, None where there is none.
Models = Callable[[str, str], type[SectionModel] | None]


class WrongValueError(ValueError):
    """What a hook gave can't be taken; says what it is instead."""


def argument_to_json(kind: Any, value: Any) -> str:
    """Write an argument of a hook."""
    if isinstance(value, Answers):
        import json  # noqa: PLC0415 - the rest is pydantic's

        sections = {
            key: [section.outside_plugin if isinstance(section, OutsideSection) else "",
                  section.model_dump(mode="json", exclude_unset=True)]
            for key, section in value.sections.items()
        }  # fmt: skip
        origins = {key: [int(origin.precedence), origin.place] for key, origin in value.origins.items()}
        return json.dumps({"sections": sections, "origins": origins})
    if isinstance(value, Inventory):
        return value.to_json()
    return _adapter(kind).dump_json(value).decode()


def argument_from_json(kind: Any, text: str, models: Models) -> Any:
    """Make an argument again, in the host."""
    if kind is Answers:
        return _answers(TypeAdapter(dict[str, Any]).validate_json(text), models)
    if kind is Inventory or (kind != Any and Inventory in typing.get_args(kind)):
        return None if text == "null" else from_json(text)
    return _adapter(kind).validate_json(text)


def _answers(data: Mapping[str, Any], models: Models) -> Answers:
    sections = {}
    for key, (plugin, values) in data["sections"].items():
        if model := models(plugin, key):
            sections[key] = model.model_validate(values)
    origins = {
        key: Origin(Precedence(precedence), place) for key, (precedence, place) in data["origins"].items()
    }
    return Answers(sections, origins)


def result_to_data(
    signature: Signature, value: Any, tell: Callable[[Any], None], inventory: Inventory | None = None
) -> Any:
    """Write what a hook gave, in the host: `{"items": [...]}` of a sequence, else `{"value": ...}`.

    `tell` hears of every section and backend that was written, since they stay here. Steps of `node_prepare`
    that are done on this `inventory` are left out: only here can they be asked.
    """
    if value is None:
        return {"value": None}
    if signature.item is None:
        return {"value": _written(signature.result, value)}
    if isinstance(value, str | bytes | Mapping) or not isinstance(value, Iterable):
        return {"wrong": type(value).__name__}
    items = []
    for one in value:
        try:
            if inventory and isinstance(one, PrepareStep) and one.done(inventory):
                continue
            items.append({"value": _written(signature.item, one)})
        except WrongValueError as error:
            items.append({"wrong": str(error)})
        except ValueError as error:
            items.append({"words": str(error)})
        else:
            tell(one)
    return {"items": items}


def _written(kind: Any, value: Any) -> Any:  # noqa: PLR0911 - a table
    if kind is Section and isinstance(value, Section):
        return describe_section(value)
    if kind is PlannedStep and isinstance(value, PlannedStep):
        return describe_step(value)
    if kind is PrepareStep and isinstance(value, PrepareStep):
        return describe_step(PlannedStep(PREPARE, value))
    if kind is Backend:
        from node.plugin_host.backends import describe_backend  # noqa: PLC0415 - few plugins have any

        return describe_backend(value)
    if kind is str or (isinstance(kind, type) and issubclass(kind, IntEnum)):
        if not isinstance(value, str if kind is str else int):
            raise WrongValueError(type(value).__name__)
        return str(value) if kind is str else int(value)
    if isinstance(kind, type) and is_dataclass(kind):
        if not isinstance(value, kind):
            raise WrongValueError(type(value).__name__)
        return _adapter(kind).dump_python(value, mode="json")
    if typing.get_origin(kind) is Mapping and not isinstance(value, Mapping):
        raise WrongValueError(type(value).__name__)
    return to_jsonable_python(value)


@dataclass(frozen=True)
class Taken:
    """What came of a result: the value as the hook promises it, and complaints in words."""

    value: Any
    complaints: tuple[str, ...] = ()


def result_from_data(signature: Signature, data: Any, plugin: str, model: Callable[[str], Model]) -> Taken:
    """Make a result again from what `result_to_data` wrote; nothing of a wrong kind is let through.

    `model` gives the own model of a section by its key.
    """
    if not isinstance(data, Mapping):
        raise ValueError("no result came")  # noqa: TRY004 - it is data that is wrong
    data = sound(data)
    if signature.item is None:
        if "value" not in data:
            raise ValueError("no result came")
        value = data["value"]
        return Taken(None if value is None else _read(signature.result, value, plugin, model))
    if "wrong" in data:
        return Taken((), (_not_a(shown(str(data["wrong"]), 60), signature.name, "tuple"),))
    items, complaints = [], []
    for one in data.get("items") or ():
        if "wrong" in one:
            kind = getattr(signature.item, "__name__", "value")
            complaints.append(_not_a(shown(str(one["wrong"]), 60), signature.name, kind))
        elif "words" in one:
            complaints.append(shown(str(one["words"]), 500))
        else:
            try:
                items.append(_read(signature.item, one["value"], plugin, model))
            except ValueError as error:
                complaints.append(_words(error, signature))
    return Taken(tuple(items), tuple(dict.fromkeys(complaints)))


def _read(kind: Any, value: Any, plugin: str, model: Callable[[str], Model]) -> Any:  # noqa: PLR0911
    if kind is Section:
        key = str(value.get("key")) if isinstance(value, Mapping) else ""
        return stand_in(value, plugin, model(key))
    if kind is PlannedStep:
        return planned_step(value, plugin)
    if kind is PrepareStep:
        return planned_step(value, plugin).step
    if kind is Backend:
        from node.plugin_host.backends import outside_backend  # noqa: PLC0415 - few plugins have any

        return outside_backend(value, plugin)
    if kind is str:
        if not isinstance(value, str) or not value.isprintable():
            raise ValueError("gave a text with characters that can't stand there")
        return value
    if kind is RenderedFile:
        file: RenderedFile = _adapter(kind).validate_python(value)
        if not all(one.isprintable() for one in (file.path, file.owner, file.group, file.target)):
            raise ValueError("gave a file whose name has characters that can't stand there")
        return file
    if kind is Any or typing.get_origin(kind) is Mapping:
        return value
    found = _adapter(kind).validate_python(value)
    return shown_all(found)


def _not_a(what: str, hook: str, kind: str) -> str:
    return f"gave a {what} in {hook}, not a {kind}"


def _words(error: ValueError, signature: Signature) -> str:
    if isinstance(error, ValidationError):
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"]))
        kind = getattr(signature.item, "__name__", "value")
        return f"gave in {signature.name} a {kind} that is none: {where}: {shown(first['msg'], 200)}"
    return str(error)


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)
