"""sysctl settings: nested as the dotted keys of the answers have them, flat as sysctl.d(5) does."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

# A part of a key: an interface's name may hold dots (eth0.100), and `*` stands for all of a folder.
_PART = re.compile(r"[A-Za-z0-9_*][A-Za-z0-9_.:@*-]*")
_OWNED = {
    "kernel.hostname": "Set network.hostname",
    "kernel.domainname": "Set network.hostname with its domain",
    "kernel.modules_disabled": "Leave it out: drivers and filesystems of the node are loaded on demand",
}


class SysctlError(ValueError):
    """A setting that is none; `what` and `mend` are words for a Problem."""

    def __init__(self, what: str, mend: str) -> None:
        super().__init__(what)
        self.what = what
        self.mend = mend


def nested(settings: Mapping[Any, Any]) -> dict[str, Any]:
    """Give settings level by level. What was written so counts more than a key written in one.

    So does a kernel argument, which is always taken apart at its dots, count more than a file.
    """
    result: dict[str, Any] = {}
    whole = {key: value for key, value in settings.items() if not isinstance(value, Mapping)}
    for key, value in (*whole.items(), *((key, settings[key]) for key in settings if key not in whole)):
        *parents, last = parts_of(str(key))
        read: Any = {last: nested(value) if isinstance(value, Mapping) else value}
        for parent in reversed(parents):
            read = {parent: read}
        _merge(result, read)
    return result


def flat(settings: Mapping[str, Any]) -> dict[str, str]:
    """Give `key -> value` as lines of sysctl.d(5), sorted. SysctlError for what must not be written."""
    found = {}
    for parts, value in _leaves(settings, ()):
        # With a slash first, dots stay what they are.
        key = ("/" if any("." in part for part in parts) else ".").join(parts)
        if mend := _OWNED.get(key.replace("/", ".")):
            raise SysctlError(f"'{key}' would work against the node itself", mend)
        if len(parts) < 2:
            raise SysctlError(f"'{key}' is not a key of sysctl", "Write one such as vm.swappiness")
        found[key] = _text(key, value)
    return dict(sorted(found.items()))


def parts_of(key: str) -> list[str]:
    """Take a key apart at its dots or, where a slash comes first, at its slashes (sysctl.d(5))."""
    first = re.search(r"[./]", key)
    separator = first[0] if first else "."
    # Dots and slashes change places in a key that begins with a dot.
    parts = [part.replace("/", ".") if separator == "." else part for part in key.split(separator)]
    for part in parts:
        if not _PART.fullmatch(part):
            raise SysctlError(f"{key!r} is not a key of sysctl", "Write one such as vm.swappiness")
    return parts


def _merge(below: dict[str, Any], more: Mapping[str, Any]) -> None:
    for key, value in more.items():
        if key in below and isinstance(value, dict) is not isinstance(below[key], dict):
            raise SysctlError(f"'{key}' has both a value and keys below it", "Take one out")
        if isinstance(value, dict) and key in below:
            _merge(below[key], value)
        else:
            below[key] = value


def _leaves(settings: Mapping[str, Any], above: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    for key, value in settings.items():
        if isinstance(value, Mapping):
            yield from _leaves(value, (*above, key))
        else:
            yield (*above, key), value


def _text(key: str, value: Any) -> str:
    if isinstance(value, bool):
        return str(int(value))
    if not isinstance(value, int | str) or not str(value).strip():
        raise SysctlError(
            f"the value of '{key}' is neither a number nor text", "Write several numbers as one text"
        )
    if re.search(r"[\n\r\0]", str(value)):
        raise SysctlError(f"the value of '{key}' has more than one line", "Write it as one line")
    return str(value).strip()
