"""A section of a plugin from outside: described in the host, and stood in for by a model elsewhere.

The stand-in has the same fields, defaults and schema, so that screens, kernel arguments and documentation
work as for any section; what is valid only the plugin's own model says, in the host.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Literal, Protocol, Self, cast

from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model, model_validator
from pydantic.annotated_handlers import GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import InitErrorDetails, PydanticCustomError, core_schema

from node.model.answers import Section, SectionModel
from node.model.page import Page
from node.model.refusal import DEFAULT_MEND
from node.plugin_host.pages import page_from_data
from node.plugin_host.words import shown


class Model(Protocol):
    """A section's own model, in the host; both give None where that can't be asked."""

    def validate(self, values: Any) -> Mapping[str, Any] | None:
        """Judge values: `{"values": ..., "set": [...]}` or `{"errors": [...]}`."""

    def schema(self) -> Mapping[str, Any] | None:
        """Give its JSON Schema."""


_PLAIN: dict[str, Any] = {
    "text": str,
    "number": int,
    "fraction": float,
    "boolean": bool,
    "list": tuple[Any, ...],
    "mapping": dict[str, Any],
}


class OutsideSection(SectionModel):
    """A stand-in. `outside_plugin` is whose it is."""

    model_config = ConfigDict(populate_by_name=True, protected_namespaces=())

    outside_plugin: ClassVar[str] = ""
    outside_model: ClassVar[Model]

    @model_validator(mode="wrap")
    @classmethod
    def _as_the_plugin_says(cls, values: Any, handler: Callable[[Any], Self]) -> Self:
        # Nothing that is said is what the defaults are for, and those are known here.
        if isinstance(values, cls) or values == {}:
            return handler(values)
        said = cls.outside_model.validate(values)
        if said is None:
            return cls._as_it_is(values, handler)
        if errors := said.get("errors"):
            raise ValidationError.from_exception_data(cls.key, [_line_error(one) for one in errors])
        made = handler(said.get("values"))
        # What was not said is not kept in the state, and has the defaults of the image of that day.
        object.__setattr__(made, "__pydantic_fields_set__", set(said.get("set") or ()))
        return made

    @classmethod
    def _as_it_is(cls, values: Any, handler: Callable[[Any], Self]) -> Self:
        """Take what nobody can judge as it was written, or the defaults: its plugin isn't there to use it."""
        try:
            return handler(values)
        except ValidationError:
            return handler({})

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Give the schema of the plugin's own model."""
        del schema, handler
        return dict(cls.outside_model.schema() or {"type": "object"})


def stand_in(data: Mapping[str, Any], plugin: str, own: Model) -> Section:
    """Make a section from what `describe_section` gave; ValueError where that is none."""
    try:
        key = data["key"]
        if not (isinstance(key, str) and key.isidentifier() and key.islower()):
            raise ValueError(f"its section's key {shown(str(key), 60)!r} is no word of small letters")
        model = cast("type[OutsideSection]", _model(key, OutsideSection, data["fields"]))
        model.__module__ = f"{__name__}.{plugin}"
        model.key = key
        model.persists = bool(data["persists"])
        model.schema_version = int(data["schema_version"])
        model.secret = frozenset(map(str, data["secret"]))
        model.outside_plugin = plugin
        model.outside_model = own
        model()
        pages: Sequence[Page] = tuple(page_from_data(one) for one in data["pages"])
        return Section(model, shown(str(data["title"])), shown(str(data["help"])), tuple(pages))
    except (KeyError, TypeError, AttributeError, ValidationError) as error:
        raise ValueError(f"its section can't be described: {type(error).__name__}: {error}") from None


def _model(name: str, base: type[BaseModel], described: Sequence[Mapping[str, Any]]) -> type[BaseModel]:
    fields: dict[str, Any] = {}
    for one in described:
        annotation, default = _annotation(one)
        words = shown(str(one["description"])) or None
        options: dict[str, Any] = {"description": words, **default}
        if one["alias"]:
            options["alias"] = str(one["alias"])
        fields[str(one["name"])] = (annotation, Field(**options))
    with warnings.catch_warnings():
        # A field may be called as some method of pydantic's is; the plugin's own model bears it too.
        warnings.simplefilter("ignore", UserWarning)
        return cast("type[BaseModel]", create_model(name, __base__=base, **fields))


class _Nested(BaseModel):
    model_config = SectionModel.model_config | ConfigDict(populate_by_name=True, protected_namespaces=())


def _annotation(one: Mapping[str, Any]) -> tuple[Any, dict[str, Any]]:
    """Give a field's annotation, and its default as `Field` takes it."""
    if one["fields"] is not None:
        nested = _model(str(one["name"]), _Nested, one["fields"])
        if one["optional"]:
            return nested | None, {"default": one["default"]}
        return nested, {"default_factory": nested}
    if one["choices"]:
        annotation: Any = Literal[tuple(one["choices"])]
    else:
        plain = [_PLAIN[kind] for kind in one["kinds"] if kind in _PLAIN]
        annotation = plain[0] if plain and len(plain) == len(one["kinds"]) else Any
        for more in plain[1:] if annotation is not Any else ():
            annotation |= more
    default = one["default"]
    if annotation == tuple[Any, ...] and isinstance(default, list):
        default = tuple(default)
    return (annotation | None if one["optional"] and annotation is not Any else annotation), {
        "default": default
    }


def _line_error(one: Mapping[str, Any]) -> InitErrorDetails:
    """Make an error of the plugin's model again, so that it reads like one of any section."""
    kind, words = str(one["type"]), shown(str(one["msg"]))
    context = {str(key): value for key, value in dict(one.get("ctx") or {}).items()}
    location = tuple(part for part in one["loc"] if isinstance(part, str | int))
    if "mend" in context or not isinstance(kind, str):
        mend = shown(str(context.get("mend", DEFAULT_MEND)))
        what = shown(str(context.get("what", words)))
        error: Any = PydanticCustomError(kind, "{what}", {"what": what, "mend": mend})
        return InitErrorDetails(type=error, loc=location, input=one.get("input"))
    details = InitErrorDetails(type=kind, loc=location, input=one.get("input"), ctx=context)
    try:
        ValidationError.from_exception_data("", [details])
    except (KeyError, TypeError, ValueError):
        # A kind of the plugin's own, or one whose context is no plain data: its words say all.
        error = PydanticCustomError("value_error", "{words}", {"words": words})
        return InitErrorDetails(type=error, loc=location, input=one.get("input"))
    return details
