"""The state as text: YAML that an operator can read, and that can't be cut off without being noticed."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from node.errors import NodeError
from node.model.state import State
from node.persist.migrations import Document, FutureVersionError, MigrationError, migrate_core

HEADER = "# Nodecrust configuration"
END = "..."

Migrate = Callable[[Document], Document]
Check = Callable[[State], None]
"""Refuses a state that was read by raising NodeError, or ValueError as pydantic does."""

# The C loader is ten times as fast, which a boot notices; PyYAML may be built without it.
_SafeLoader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_Dumper: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


CURRENT = "current"


@dataclass(frozen=True)
class StoredState:
    """A state as it was found.

    `source` is `current`, or the version that stands in for a broken one: `history/000007.yaml`. Then
    `warnings` say so, a sentence each, fit for an alarm.
    """

    state: State
    warnings: tuple[str, ...] = ()
    source: str = CURRENT


class BrokenStateError(NodeError):
    """A state that is there and can't be used: torn, unreadable, or refused by a check."""


class FutureStateError(BrokenStateError):
    """A state of a version that only a newer image knows. It is whole, and must stay as it is.

    `fallback` is the newest good version of the history that this image knows, None where there is none.
    """

    def __init__(self, brief: str, *, mend: str = "", fallback: StoredState | None = None) -> None:
        super().__init__(brief, mend=mend)
        self.fallback = fallback


class _Loader(_SafeLoader):  # type: ignore[misc]
    """YAML 1.2's core schema, as the answers are read: `no` is text, and so are dates, MACs and 0123."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012 - PyYAML's own name and way


for _tag, _pattern, _first in (
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("int", r"-?(?:0|[1-9][0-9]*)", "-0123456789"),
    ("float", r"-?(?:0|[1-9][0-9]*)\.[0-9]+(?:[eE][-+]?[0-9]+)?|-?\.inf|\.nan", "-0123456789."),
):
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(rf"^(?:{_pattern})$"), list(_first))


def state_from_text(text: str, *, migrate: Migrate = migrate_core, check: Check | None = None) -> State:
    """Read a state and bring it to STATE_VERSION.

    BrokenStateError where it is none, FutureStateError where it is newer than this image. No message quotes
    a value, since the state holds password hashes.
    """
    document = _document(text)
    try:
        document = migrate(document)
    except FutureVersionError as error:
        raise FutureStateError(error.brief, mend=error.mend) from error
    except MigrationError as error:
        raise BrokenStateError(error.brief) from error
    sections = _mapping(document, "sections")
    for key, value in sections.items():
        if not isinstance(value, dict):
            raise BrokenStateError(f"section '{key}' of the state is not a mapping")
    state = State(
        version=document["version"],
        install=_mapping(document, "install"),
        sections=sections,
        section_versions=_mapping(document, "section_versions"),
    )
    if check is not None:
        try:
            check(state)
        except BrokenStateError:
            raise
        except NodeError as error:
            raise BrokenStateError(f"the state is not valid: {error.brief}") from error
        except ValueError as error:
            # pydantic's words repeat the values, which may be secret.
            raise BrokenStateError("the state is not valid") from error
    return state


def state_to_text(state: State) -> str:
    """Give the state as YAML that `state_from_text` reads back equal."""
    document: dict[str, Any] = {"version": state.version, "install": dict(state.install)}
    if state.section_versions:
        document["section_versions"] = dict(state.section_versions)
    document["sections"] = {key: dict(value) for key, value in state.sections.items()}
    text: str = yaml.dump(
        document,
        Dumper=_Dumper,
        sort_keys=False,
        allow_unicode=True,
        default_flow_style=False,
        explicit_end=True,
    )
    return text


def _document(text: str) -> dict[str, Any]:
    # A text of ours that was cut off at the end of a line is still YAML: a state without its last sections.
    if text.startswith(HEADER) and text.rstrip().rpartition("\n")[2] != END:
        raise BrokenStateError("the state is cut off", details=f"its last line is not '{END}'")
    try:
        document = yaml.load(text, Loader=_Loader)  # noqa: S506 - a safe loader, C or Python
    except yaml.YAMLError as error:
        raise BrokenStateError("the state is not YAML", details=_short(error)) from error
    except (ValueError, TypeError, RecursionError, OverflowError) as error:
        # What PyYAML lets through of nonsense that looks like YAML.
        raise BrokenStateError("the state is not YAML", details=type(error).__name__) from error
    if not isinstance(document, dict) or "version" not in document:
        raise BrokenStateError("the state is not a document with a version")
    version = document["version"]
    if type(version) is not int or version < 1:
        raise BrokenStateError("the version of the state is not a number")
    return document


def _mapping(document: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = document.get(key, {})
    if not isinstance(value, dict) or not all(isinstance(name, str) for name in value):
        raise BrokenStateError(f"'{key}' of the state is not a mapping")
    return value


def _short(error: yaml.YAMLError) -> str:
    # PyYAML quotes the line at fault, which may hold a secret; where it is says enough.
    mark = getattr(error, "problem_mark", None)
    where = f"line {mark.line + 1}, column {mark.column + 1}" if mark else "unknown place"
    return f"{where}: {getattr(error, 'problem', None) or 'syntax error'}"
