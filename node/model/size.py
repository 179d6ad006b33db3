"""Sizes in bytes, read from and written as people do: `512MiB`, `4 GB`, `1.5T`."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

KIB, MIB, GIB, TIB = 1 << 10, 1 << 20, 1 << 30, 1 << 40

# IEC 80000-13 binary prefixes; a bare letter means the binary one, as lvm and qemu-img have it.
_UNITS = {
    "": 1, "B": 1,
    "K": KIB, "KIB": KIB, "KB": 10**3,
    "M": MIB, "MIB": MIB, "MB": 10**6,
    "G": GIB, "GIB": GIB, "GB": 10**9,
    "T": TIB, "TIB": TIB, "TB": 10**12,
}  # fmt: skip
_FORM = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([A-Za-z]*)\s*")


def parse_size(text: str | int) -> int:
    """Give the bytes that `text` means; ValueError where it means none."""
    if isinstance(text, bool):
        raise ValueError("a size is a number with a unit, such as 4GiB")  # noqa: TRY004 - pydantic wants it
    if isinstance(text, int):
        return text
    match = _FORM.fullmatch(text)
    if not match or match[2].upper() not in _UNITS:
        raise ValueError(f"'{text}' is not a size; write a number with a unit, such as 512MiB or 4GB")
    return (
        int(float(match[1]) * _UNITS[match[2].upper()])
        if "." in match[1]
        else int(match[1]) * _UNITS[match[2].upper()]
    )


def format_size(size: int) -> str:
    """Give a size in the binary unit that reads best, with one decimal at most: `1.5 GiB`."""
    for unit, name in ((TIB, "TiB"), (GIB, "GiB"), (MIB, "MiB"), (KIB, "KiB")):
        if size >= unit:
            text = f"{size / unit:.1f}".removesuffix(".0")
            return f"{text} {name}"
    return f"{size} B"


def _check(value: Any) -> int:
    size = parse_size(value) if isinstance(value, str | int) else -1
    if size < 0:
        raise ValueError("a size is a positive number with a unit, such as 4GiB")
    return size


ByteSize = Annotated[
    int,
    BeforeValidator(_check),
    PlainSerializer(lambda size: size, return_type=int),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "integer", "minimum": 0},
                {"type": "string", "pattern": r"^\s*\d+(\.\d+)?\s*([KMGTkmgt]?([iI]?[bB])?)\s*$"},
            ]
        }
    ),
]
