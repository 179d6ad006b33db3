"""Validates one section by its model and turns pydantic's errors into problems in plain words."""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from node.installer.keys import KnownKeys, is_secret
from node.model.answers import SectionModel
from node.model.mask import MASK
from node.model.origin import Origin
from node.model.problem import Blame, Problem

# pydantic's error types (docs.pydantic.dev/latest/errors/validation_errors) in the words of a document.
_EXPECTS = {
    "bool": "true or false",
    "int": "a whole number",
    "float": "a number",
    "string": "text",
    "list": "a list",
    "tuple": "a list",
    "set": "a list",
    "frozen_set": "a list",
    "dict": "a mapping of keys to values",
    "mapping": "a mapping of keys to values",
    "model": "a mapping of keys to values",
}
_SHOWN_CHARACTERS = 60
MAX_ROUNDS = 100


def validate_section(
    model: type[SectionModel], values: Any, origins: Mapping[str, Origin], known: KnownKeys
) -> tuple[SectionModel, tuple[Problem, ...]]:
    """Give a section and its problems; what is wrong is left out of the section, down to its defaults."""
    remaining: Any = {} if values is None else copy.deepcopy(values)
    problems: dict[str, Problem] = {}
    # Each round drops what the model refused; a check that looks at several fields speaks only then.
    for _ in range(MAX_ROUNDS):
        try:
            return model.model_validate(remaining), tuple(problems.values())
        except ValidationError as error:
            found = error.errors(include_url=False)
        except Exception as error:
            problems[model.key] = _model_failed(model, error)
            break
        for detail in found:
            path = _path(remaining, detail)
            dotted = ".".join([model.key, *(str(part) for part in path)])
            problems.setdefault(dotted, _problem(model, dotted, detail, origins, known))
        for path in sorted((_path(remaining, detail) for detail in found), key=_last_item_first):
            remaining = _without(remaining, path)
    return model(), tuple(problems.values())


def _last_item_first(path: tuple[str | int, ...]) -> tuple[int, int]:
    """Order paths so that taking one out doesn't shift the others: the deepest first, items from the end."""
    return (-len(path), -path[-1] if path and isinstance(path[-1], int) else 0)


def _model_failed(model: type[SectionModel], error: Exception) -> Problem:
    return Problem(
        "plugin-failed",
        model.key,
        f"could not be checked: its plugin failed with {type(error).__name__}",
        "Report it to the plugin's author",
        blame=Blame.MACHINE,
    )


def _path(values: Any, detail: ErrorDetails) -> tuple[str | int, ...]:
    """Give the part of pydantic's location that stands in the document, without its names of types."""
    path: list[str | int] = []
    current = values
    for part in detail["loc"]:
        if _has(current, part):
            current = current[part]
        elif not (isinstance(current, Mapping) and detail["type"] == "missing"):
            continue
        path.append(part)
    return tuple(path)


def _has(holder: Any, part: str | int) -> bool:
    if isinstance(holder, list):
        return isinstance(part, int) and part < len(holder)
    return isinstance(holder, Mapping) and part in holder


def _without(values: Any, path: tuple[str | int, ...]) -> Any:
    if not path or not isinstance(values, dict | list):
        return {}
    *parents, last = path
    holder: Any = values
    for part in parents:
        try:
            holder = holder[part]
        except (KeyError, IndexError, TypeError):
            return values
    if isinstance(holder, dict) and last in holder:
        del holder[last]
    elif isinstance(holder, dict):
        # A key that is missing can't be taken out; what lacks it is.
        return _without(values, tuple(parents))
    elif isinstance(holder, list) and isinstance(last, int) and last < len(holder):
        del holder[last]
    return values


def _problem(
    model: type[SectionModel],
    dotted: str,
    detail: ErrorDetails,
    origins: Mapping[str, Origin],
    known: KnownKeys,
) -> Problem:
    secret = is_secret(model, dotted)
    code, what, mend = _words(dotted, detail, known, secret=secret)
    return Problem(code, dotted, what, mend, _nearest_origin(dotted, origins))


def _words(  # noqa: PLR0911 - a table of kinds of errors
    dotted: str, detail: ErrorDetails, known: KnownKeys, *, secret: bool
) -> tuple[str, str, str]:
    kind = detail["type"]
    context: Mapping[str, Any] = detail.get("ctx") or {}
    entry = known.get(dotted)
    hint = _hint(entry.field.description if entry else None)
    if kind == "extra_forbidden":
        nearest = known.nearest(dotted)
        mend = f"Did you mean {nearest}?" if nearest else "Take it out"
        return "unknown-key", "is not a known key", mend
    if kind == "missing":
        return "missing-key", "is missing", f"Add it{hint}"
    if "mend" in context:
        return (
            kind,
            _masked(str(context.get("what", detail["msg"])), detail["input"], secret),
            context["mend"],
        )
    if detail["input"] is None:
        return "wrong-value", "has no value", f"Give it one, or take the line out{hint}"
    if kind in ("enum", "literal_error"):
        mend = _choices(str(context.get("expected", "")))
        return "wrong-value", f"can't be {_shown(detail['input'], secret)}", mend
    stem = kind.removesuffix("_type").removesuffix("_parsing").removesuffix("_attributes")
    stem = stem.removesuffix("_from_float").removesuffix("_unicode").removesuffix("_sub")
    if stem in _EXPECTS:
        expected = _EXPECTS[stem]
        return "wrong-type", f"is {_shown(detail['input'], secret)}", f"Write {expected}{hint}"
    if kind == "string_pattern_mismatch":
        return "wrong-value", f"can't be {_shown(detail['input'], secret)}", _sentence(hint) or "Correct it"
    message = detail["msg"].removeprefix("Value error, ").removeprefix("Assertion failed, ")
    return "wrong-value", _masked(_as_predicate(message), detail["input"], secret), "Correct it"


def _choices(expected: str) -> str:
    """Ask for one of pydantic's `'', 'on' or 'off'`; an empty one would be read as nothing at all."""
    given = re.split(", | or ", expected)
    choices = [word.replace("'", "") for word in given if word != "''"]
    words = " or ".join(filter(None, [", ".join(choices[:-1]), *choices[-1:]]))
    if len(choices) == len(given):
        return f"Write {words}"
    return f"Leave it empty, or write {words}" if words else "Leave it empty"


def _as_predicate(message: str) -> str:
    if message.startswith("Input should"):
        return "should" + message.removeprefix("Input should")
    return message


def _hint(description: str | None) -> str:
    return f" ({description.rstrip('.')})" if description else ""


def _sentence(hint: str) -> str:
    return hint.strip(" ()")


def _shown(value: Any, secret: bool) -> str:
    if isinstance(value, Mapping):
        return "a mapping"
    if isinstance(value, list | tuple):
        return "a list"
    if secret:
        return "not what it must be"
    if isinstance(value, bool):
        return "true" if value else "false"
    text = str(value)
    if len(text) > _SHOWN_CHARACTERS:
        text = text[:_SHOWN_CHARACTERS] + "..."
    return f"'{text}'" if isinstance(value, str) else text


def _masked(message: str, value: Any, secret: bool) -> str:
    text = str(value)
    return message.replace(text, MASK) if secret and text else message


def _nearest_origin(dotted: str, origins: Mapping[str, Origin]) -> Origin | None:
    parts = dotted.split(".")
    for end in range(len(parts), 0, -1):
        if origin := origins.get(".".join(parts[:end])):
            return origin
    return None
