"""Names of files in archives that others made: which of them may be unpacked."""

from __future__ import annotations

from collections.abc import Iterable

# What Linux's filesystems take (limits.h: NAME_MAX, PATH_MAX), with room for the folder in front.
_LONGEST_NAME = 255
_LONGEST_PATH = 1024


def wrong_with_name(name: str) -> str:  # noqa: PLR0911 - one return a reason
    """Say what keeps a relative path from being unpacked below a folder; "" where nothing does.

    Absolute paths, `..`, `.`, empty parts, backslashes, control characters and what no filesystem takes are
    refused, so that what is left names exactly one file below whatever folder it is put in.
    """
    try:
        encoded = name.encode()
    except UnicodeEncodeError:
        return "is not UTF-8"
    if not name:
        return "is empty"
    if name.startswith("/"):
        return "is an absolute path"
    if "\\" in name:
        return "has a backslash"
    if not name.isprintable():
        return "has characters that can't be printed"
    parts = name.split("/")
    if any(part in ("", ".", "..") for part in parts):
        return "has an empty part, '.' or '..'"
    if len(encoded) > _LONGEST_PATH or any(len(part.encode()) > _LONGEST_NAME for part in parts):
        return "is too long"
    return ""


def wrong_with_names(names: Iterable[str]) -> str:
    """Say what is wrong with a set of files: a bad name, or one that is a file and a folder at once."""
    known = set(names)
    for name in sorted(known):
        if wrong := wrong_with_name(name):
            return f"the name {name!r} {wrong}"
        parts = name.split("/")
        above = next((p for p in ("/".join(parts[:n]) for n in range(1, len(parts))) if p in known), None)
        if above is not None:
            return f"{above!r} is a file, and {name!r} lies below it"
    return ""
