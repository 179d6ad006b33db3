"""Makes words of others fit to be shown: no control characters, nothing that turns a line around, no end."""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace
from enum import Enum
from typing import Any, TypeVar

MOST = 2000
Kind = TypeVar("Kind")


def shown(text: str, most: int = MOST) -> str:
    """Give a text in one line: what can't be printed is a blank or a replacement character."""
    if len(text) > most:
        text = text[:most] + "..."
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() else " " if one.isspace() else "\ufffd" for one in text)


def sound(value: Any) -> Any:
    """Give plain data whose texts can be encoded: half of a surrogate pair stops whoever prints it."""
    if isinstance(value, str):
        return value if value.isascii() else value.encode("utf-8", "replace").decode()
    if isinstance(value, list):
        return [sound(each) for each in value]
    if isinstance(value, dict):
        return {sound(str(key)): sound(each) for key, each in value.items()}
    return value


def shown_all(value: Kind) -> Kind:
    """Give a value of frozen dataclasses with every text in it as `shown` gives it."""
    result: Any = value
    if isinstance(value, str):
        # A member of an enumeration is one of ours.
        result = value if isinstance(value, Enum) else shown(value)
    elif isinstance(value, tuple):
        result = tuple(shown_all(each) for each in value)
    elif is_dataclass(value) and not isinstance(value, type):
        changed = {}
        for field in fields(value):
            old = getattr(value, field.name)
            if (new := shown_all(old)) != old:
                changed[field.name] = new
        result = replace(value, **changed) if changed else value
    return result  # type: ignore[no-any-return]
