"""What a plugin implements, and what of it can't be: the same check for built-ins and for the host."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from types import FunctionType
from typing import Any, get_args, get_origin

from node.hookspecs import PROJECT, Hooks
from node.model.near import nearest

_PREFIX = "node_"


@dataclass(frozen=True)
class Signature:
    """A hook of the specification: the types of its arguments and of its result.

    `item` is the type of the result's items where it is a sequence, None otherwise.
    """

    name: str
    arguments: Mapping[str, Any]
    result: Any
    item: Any


@cache
def signatures() -> Mapping[str, Signature]:
    """Give every hook by its name, in the order of the page."""
    found = {}
    for name, function in vars(Hooks).items():
        if name.startswith(_PREFIX):
            hints = typing.get_type_hints(function)
            result = hints.pop("return")
            item = get_args(result)[0] if get_origin(result) is Sequence else None
            found[name] = Signature(name, hints, result, item)
    return found


@dataclass(frozen=True)
class Implementation:
    """A hook as a plugin implements it: by a function of these arguments."""

    hook: str
    function: Any
    arguments: tuple[str, ...]


@dataclass(frozen=True)
class Implemented:
    """What a plugin implements, in the order of the page, and in words what of it nobody could ever call."""

    hooks: tuple[Implementation, ...]
    wrong: tuple[str, ...]


def implemented(plugin: object) -> Implemented:
    """Look at everything that a plugin, a module or an object, has."""
    found: dict[str, Implementation] = {}
    wrong: list[str] = []
    marked: set[str] = set()
    for name, function, options in _marked(plugin):
        marked.add(name)
        hook = options.get("specname") or name
        arguments = _arguments(function)
        if words := _wrong(hook, name, arguments, options):
            wrong.append(words)
        else:
            found[hook] = Implementation(hook, function, arguments)
    wrong += [
        f"{name} has no @hookimpl, so that nobody calls it"
        for name in signatures()
        if name not in marked and inspect.isroutine(getattr(plugin, name, None))
    ]
    return Implemented(tuple(found[hook] for hook in signatures() if hook in found), tuple(wrong))


def _wrong(hook: str, name: str, arguments: tuple[str, ...], options: Mapping[str, Any]) -> str:
    known = signatures()
    if hook not in known:
        near = nearest(hook, known)
        return f"{name} is no hook" + (f"; did you mean {near}?" if near else "")
    if options.get("wrapper") or options.get("hookwrapper"):
        return f"{name} wraps other plugins' answers, which none may"
    strange = [one for one in arguments if one not in known[hook].arguments]
    if strange:
        has = ", ".join(known[hook].arguments) or "none"
        return f"{name} wants the argument {', '.join(strange)}; there are: {has}"
    return ""


def _marked(plugin: object) -> Iterator[tuple[str, Any, Mapping[str, Any]]]:
    """Give what `hookimpl` marked, by its name."""
    for name in dir(plugin):
        if name.startswith("__"):
            continue
        try:
            function = getattr(plugin, name)
            options = getattr(function, f"{PROJECT}_impl", None)
        except Exception:  # noqa: S112 - a property of the plugin's that fails is no hook
            continue
        if isinstance(options, Mapping) and callable(function):
            yield name, function, options


def _arguments(function: Any) -> tuple[str, ...]:
    """Give the names that a function must be given; one with a default needs none."""
    if isinstance(function, FunctionType) and not hasattr(function, "__wrapped__"):
        # Most are plain, and inspecting them the long way takes as long as all the rest.
        code = function.__code__
        names = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
        optional = len(function.__defaults__ or ())
        required = names[: code.co_argcount - optional] + names[code.co_argcount :]
        return tuple(one for one in required if one not in (function.__kwdefaults__ or {}))
    parameters = inspect.signature(function).parameters.values()
    return tuple(
        one.name
        for one in parameters
        if one.default is one.empty and one.kind in (one.POSITIONAL_OR_KEYWORD, one.KEYWORD_ONLY)
    )
