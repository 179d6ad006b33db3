"""The state store: /config/node.yaml and the state before it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from node.errors import NodeError
from node.model.state import STATE_VERSION, State
from node.system.files import LiveFiles

STATE_FILE = "node.yaml"
PREVIOUS_FILE = "node.yaml.previous"

# The C loader is ten times as fast, which a boot notices; PyYAML may be built without it.
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_Dumper: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


class BrokenStateError(NodeError):
    """A state that is there and can't be used: torn, or of a version that this image doesn't know."""


@dataclass(frozen=True)
class StoredState:
    """A state as it was found; `warning` says why it isn't the newest one, "" where it is."""

    state: State
    warning: str = ""


def state_from_text(text: str) -> State:
    """Read a state. BrokenStateError where it is none, or of another version than STATE_VERSION."""
    try:
        document = yaml.load(text, Loader=_Loader)  # noqa: S506 - a safe loader, C or Python
    except yaml.YAMLError as error:
        raise BrokenStateError("the state is not YAML", details=_short(error)) from error
    if not isinstance(document, dict) or "version" not in document:
        raise BrokenStateError("the state is not a document with a version")
    version = document["version"]
    if version != STATE_VERSION:
        raise BrokenStateError(
            f"the state has version {version}; this image knows {STATE_VERSION}",
            mend="Boot an image that knows this version, or install anew",
        )
    sections = _mapping(document, "sections")
    for key, value in sections.items():
        if not isinstance(value, dict):
            raise BrokenStateError(f"section '{key}' of the state is not a mapping")
    return State(version=version, install=_mapping(document, "install"), sections=sections)


def state_to_text(state: State) -> str:
    """Give the state as YAML that `state_from_text` reads back equal."""
    document = {
        "version": state.version,
        "install": dict(state.install),
        "sections": {key: dict(value) for key, value in state.sections.items()},
    }
    return yaml.dump(document, Dumper=_Dumper, sort_keys=False, allow_unicode=True, default_flow_style=False)


def read_state(folder: Path) -> StoredState | None:
    """Read the state of a CONFIG folder; None where there is none.

    A broken one gives way to the one before it, with a warning; BrokenStateError where that is no better.
    """
    try:
        return StoredState(_read(folder / STATE_FILE))
    except FileNotFoundError:
        return None
    except BrokenStateError as error:
        broken = error
    try:
        previous = _read(folder / PREVIOUS_FILE)
    except (FileNotFoundError, BrokenStateError):
        raise broken from None
    return StoredState(previous, f"{broken.brief}, so the one before it is used ({folder / PREVIOUS_FILE})")


def write_state(folder: Path, state: State) -> None:
    """Replace the state of a CONFIG folder; the one that was there becomes, if whole, the previous."""
    files = LiveFiles()
    current = folder / STATE_FILE
    try:
        _read(current)
    except (FileNotFoundError, BrokenStateError):
        pass
    else:
        files.copy(current, folder / PREVIOUS_FILE, mode=0o600)
    # It holds password hashes.
    files.write(current, state_to_text(state).encode(), mode=0o600)


def _read(path: Path) -> State:
    try:
        return state_from_text(path.read_text(encoding="utf-8"))
    except UnicodeDecodeError as error:
        raise BrokenStateError("the state is not text") from error
    except FileNotFoundError:
        raise
    except OSError as error:
        raise BrokenStateError(f"the state can't be read: {error.strerror}") from error


def _mapping(document: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = document.get(key, {})
    if not isinstance(value, dict):
        raise BrokenStateError(f"'{key}' of the state is not a mapping")
    return value


def _short(error: yaml.YAMLError) -> str:
    # PyYAML quotes the line at fault, which may hold a secret; where it is says enough.
    mark = getattr(error, "problem_mark", None)
    where = f"line {mark.line + 1}, column {mark.column + 1}" if mark else "unknown place"
    return f"{where}: {getattr(error, 'problem', None) or 'syntax error'}"
