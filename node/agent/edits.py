"""Changes of single keys: `network.dns+=192.0.2.53` on the sections of a state."""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from node.errors import InputError
from node.model.problem import Problem

Path = tuple[str, ...]
Sections = Mapping[str, Mapping[str, Any]]

# A part between dots; in quotes it may hold dots itself, as the names of VLANs and of sysctls do.
_PART = re.compile(r'"([^"]*)"|([^."]+)')


class Operator(StrEnum):
    """What happens to the key."""

    SET = "="
    ADD = "+="
    TAKE = "-="


@dataclass(frozen=True)
class Edit:
    """One change. A `value` of None with SET takes the key away, so that its default counts again."""

    path: Path
    operator: Operator
    value: Any

    @property
    def key(self) -> str:
        """The dotted key, as a problem names it."""
        return ".".join(self.path)


def split_edit(text: str) -> tuple[str, Operator, str]:
    """Give key, operator and value of `KEY=VALUE`, `KEY+=VALUE` or `KEY-=VALUE`; InputError for others."""
    quoted = False
    for at, letter in enumerate(text):
        if letter == '"':
            quoted = not quoted
        elif letter == "=" and not quoted:
            key, sign = text[:at], text[at - 1 : at]
            if sign in ("+", "-") and at > 1:
                return key[:-1], Operator(f"{sign}="), text[at + 1 :]
            return key, Operator.SET, text[at + 1 :]
    raise InputError(
        "what to change is not said as KEY=VALUE",
        mend="Write, for instance, network.hostname=node1; KEY+=VALUE and KEY-=VALUE change lists",
    )


def parse_path(text: str) -> Path:
    """Give the parts of a dotted key; InputError where it isn't one."""
    parts: list[str] = []
    at = 0
    while match := _PART.match(text, at):
        parts.append(match[1] if match[1] is not None else match[2])
        at = match.end()
        if at == len(text):
            return tuple(parts)
        if text[at] != ".":
            break
        at += 1
    raise InputError(
        f"'{text}' is not a key",
        mend='Write parts with dots between them; one that has dots itself in quotes: vlans."eth0.10".id',
    )


def value_at(sections: Mapping[str, Any], path: Path) -> Any:
    """Give what stands at a path; KeyError where nothing does."""
    place: Any = sections
    for part in path:
        place = place[_index(place, part)]
    return place


def edited(sections: Sections, edits: Sequence[Edit], defaults: Mapping[str, Any]) -> dict[str, Any]:
    """Give the sections with every edit made; InputError with all that can't be.

    `defaults` are the sections' whole default values: what += and -= work on where nothing is set.
    """
    result: dict[str, Any] = {key: copy.deepcopy(dict(values)) for key, values in sections.items()}
    problems: list[Problem] = []
    for edit in edits:
        try:
            _make(result, edit, defaults)
        except _NotPossible as fault:
            problems.append(Problem("edit-impossible", edit.key, fault.what, fault.mend))
    if problems:
        raise InputError("nothing was changed", problems=problems)
    return result


class _NotPossible(Exception):
    def __init__(self, what: str, mend: str) -> None:
        super().__init__(what)
        self.what = what
        self.mend = mend


def _make(sections: dict[str, Any], edit: Edit, defaults: Mapping[str, Any]) -> None:
    *parents, last = edit.path
    removing = edit.operator is Operator.SET and edit.value is None
    holder: Any = sections
    for depth, part in enumerate(parents, start=1):
        if isinstance(holder, dict) and holder.get(part) is None:
            if removing:
                return
            default = _default(defaults, edit.path[:depth])
            holder[part] = list(default) if isinstance(default, list | tuple) else {}
        try:
            holder = holder[_index(holder, part)]
        except KeyError as error:
            raise _NotPossible(str(error.args[0]), "See nodectl config show") from None
    if edit.operator is not Operator.SET:
        _change_list(holder, edit, defaults)
    elif removing:
        _remove(holder, last)
    else:
        try:
            holder[_index(holder, last, new=True)] = edit.value
        except KeyError as error:
            raise _NotPossible(str(error.args[0]), "See nodectl config show") from None


def _remove(holder: Any, last: str) -> None:
    try:
        del holder[_index(holder, last)]
    except KeyError as error:
        if isinstance(holder, list):
            raise _NotPossible(str(error.args[0]), "See nodectl config show") from None


def _change_list(holder: Any, edit: Edit, defaults: Mapping[str, Any]) -> None:
    last = edit.path[-1]
    try:
        current = holder[_index(holder, last)]
    except KeyError:
        current = _default(defaults, edit.path)
        current = [] if current is None else current
    if not isinstance(current, list | tuple):
        raise _NotPossible("is not a list", "Write KEY=VALUE")
    items = list(edit.value) if isinstance(edit.value, list) else [edit.value]
    found = list(current)
    for item in items:
        if edit.operator is Operator.ADD:
            found += [] if item in found else [item]
        elif item in found:
            found.remove(item)
        else:
            raise _NotPossible("does not hold what is to be taken out", f"See nodectl config get {edit.key}")
    holder[_index(holder, last, new=True)] = found


def _default(defaults: Mapping[str, Any], path: Path) -> Any:
    try:
        return value_at(defaults, path)
    except KeyError:
        return None


def _index(holder: Any, part: str, *, new: bool = False) -> str | int:
    """Give what to index `holder` with; KeyError with words where it has no such place."""
    if isinstance(holder, Mapping):
        if part in holder or new:
            return part
        raise KeyError(f"there is no '{part}'")
    if isinstance(holder, list | tuple):
        if part.isdigit() and int(part) < len(holder):
            return int(part)
        raise KeyError(f"is a list of {len(holder)} items, counted from 0, and has no '{part}'")
    raise KeyError(f"has no '{part}' below it")
