"""The plain types that a field's annotation admits."""

from __future__ import annotations

import types
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Union, get_args, get_origin


def kinds(annotation: Any) -> Iterator[Any]:
    """Give the plain types that an annotation admits at its top: list and NoneType of `list[str] | None`."""
    origin = get_origin(annotation)
    if origin is Annotated:
        yield from kinds(get_args(annotation)[0])
    elif origin in (Union, types.UnionType):
        for inner in get_args(annotation):
            yield from kinds(inner)
    elif origin is not None:
        yield dict if isinstance(origin, type) and issubclass(origin, Mapping) else _plain(origin)
    else:
        yield annotation


def _plain(origin: Any) -> Any:
    if isinstance(origin, type) and origin not in (list, tuple, set, frozenset, dict):
        # collections.abc.Sequence and its like are lists in a document.
        return list if hasattr(origin, "__iter__") else origin
    return origin
