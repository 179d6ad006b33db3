"""The steps that write CONFIG: the node's state, the log of its installation, the record that it is done."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar

from node.errors import NodeError
from node.model.state import State
from node.model.step import Step
from node.model.system import System
from node.persist.store import (
    STATE_FILE,
    BrokenStateError,
    read_state,
    state_from_text,
    take_back,
    write_state,
)

CONFIG = Path("config")
INSTALLS_FILE = "installs.json"
LOG_FILE = "install.log"


@dataclass(frozen=True)
class WriteState(Step):
    """Write the state: what of the answers outlives the install.

    `document` is the state as YAML, `at` when the installation began (ISO 8601 with its zone). With `keep`
    the state that CONFIG already has stays as it was, but for `said`, the dotted fields that somebody said in
    the answers. `secrets` only says what must not be shown.
    """

    secret_fields: ClassVar[frozenset[str]] = frozenset({"document", "secrets"})

    document: str
    at: str
    keep: bool = False
    said: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()

    def summary(self) -> str:
        """Say it."""
        verb = "Bring the node's kept configuration up to date" if self.keep else "Write the configuration"
        return f"{verb} ({STATE_FILE} on CONFIG)"

    def apply(self, system: System) -> None:
        """Write it as a new version of the history; a kept state stays there as the one before."""
        folder = system.root / CONFIG
        state = state_from_text(self.document)
        if self.keep:
            try:
                kept = read_state(folder, files=system.files)
            except BrokenStateError as error:
                system.say(f"the kept configuration can't be used and is set aside: {error}")
            else:
                state = overlay(kept.state, state, self.said) if kept else state
                for warning in kept.warnings if kept else ():
                    system.say(f"the kept configuration: {warning}")
        write_state(
            folder,
            state,
            reason=self._reason(state),
            at=datetime.fromisoformat(self.at),
            replace_future=True,
            files=system.files,
        )

    def undo(self, system: System) -> None:
        """Put a kept state back."""
        folder = system.root / CONFIG
        if self.keep and system.mounts.is_mounted(folder):
            take_back(folder, reason=self._reason(state_from_text(self.document)), files=system.files)

    def _reason(self, state: State) -> str:
        return f"installation {state.install.get('id', '')}".rstrip()


def overlay(kept: State, new: State, said: Sequence[str]) -> State:
    """Give the kept state with those fields of the new one that are `said`, and its sections that are news.

    A section that is stored in another version is the new one where anything of it is said, else the kept
    one, which the node brings up to date when it starts.
    """
    sections, versions = dict(kept.sections), dict(kept.section_versions)
    for key, values in new.sections.items():
        paths = [field.split(".")[1:] for field in said if field.partition(".")[0] == key]
        version = new.section_versions.get(key, 1)
        if key in sections and versions.get(key, 1) == version:
            for path in paths:
                sections[key] = _with_field(sections[key], values, path)
        elif key not in sections or paths:
            sections[key] = values
            versions.pop(key, None)
            versions |= {key: version} if version != 1 else {}
    return State(version=new.version, install=new.install, sections=sections, section_versions=versions)


def _with_field(below: Any, above: Any, path: Sequence[str]) -> Any:
    """Give plain data with what `above` has at `path`; without it where that leaves it to its default."""
    if not path:
        return above
    found = dict(below) if isinstance(below, Mapping) else {}
    name, *rest = path
    if isinstance(above, Mapping) and name in above:
        found[name] = _with_field(found.get(name), above[name], rest)
    elif rest and isinstance(found.get(name), Mapping):
        found[name] = _with_field(found[name], {}, rest)
    else:
        found.pop(name, None)
    return found


@dataclass(frozen=True)
class KeepLog(Step):
    """Put the log of the installation on CONFIG, where a later question will look for it."""

    source: Path

    def summary(self) -> str:
        """Say it."""
        return f"Keep the log of the installation ({LOG_FILE} on CONFIG)"

    def apply(self, system: System) -> None:
        """Copy it; a run without a log is none the worse."""
        if system.files.exists(self.source):
            system.files.copy(self.source, system.root / CONFIG / LOG_FILE, mode=0o600)


@dataclass(frozen=True)
class RetireInstalls(Step):
    """Take back on a kept CONFIG that there is a finished installation, until the new one is recorded.

    Else a power cut after the new kernel came would leave a disk that looks finished and isn't.
    """

    def summary(self) -> str:
        """Say it."""
        return "Mark the earlier installation as replaced (on CONFIG)"

    def apply(self, system: System) -> None:
        """Set the records aside."""
        if earlier := _read_installs(system):
            _write_installs(system, done=[], earlier=earlier)


@dataclass(frozen=True)
class RecordInstall(Step):
    """Record on CONFIG that this installation is done: the very last write."""

    install_id: str
    reinstall: str
    image_version: str
    sha256: str
    at: str

    def summary(self) -> str:
        """Say it."""
        return "Record that the installation is done"

    def apply(self, system: System) -> None:
        """Add it to those that CONFIG already records."""
        record = {
            "id": self.install_id,
            "reinstall": self.reinstall,
            "image_version": self.image_version,
            "sha256": self.sha256,
            "slot": "a",
            "at": self.at,
        }
        if not system.mounts.is_mounted(system.root / CONFIG):
            raise NodeError("CONFIG isn't mounted, so the installation can't be recorded")
        _write_installs(system, done=[*self._others(system), record], earlier=[])

    def undo(self, system: System) -> None:
        """Take it out again."""
        path = system.root / CONFIG / INSTALLS_FILE
        if system.mounts.is_mounted(system.root / CONFIG) and system.files.exists(path):
            # Those before it stay set aside: what they recorded is not on the disk any more.
            _write_installs(system, done=[], earlier=self._others(system))

    def _others(self, system: System) -> list[dict[str, Any]]:
        return [each for each in _read_installs(system) if each.get("id") != self.install_id]


def _read_installs(system: System) -> list[dict[str, Any]]:
    path = system.root / CONFIG / INSTALLS_FILE
    if not system.files.exists(path):
        return []
    try:
        document = json.loads(system.files.read(path))
        found = [*document.get("earlier", ()), *document["installs"]]
    except (ValueError, KeyError, TypeError, AttributeError):
        system.say(f"{INSTALLS_FILE} on CONFIG can't be read and is begun anew")
        return []
    return [each for each in found if isinstance(each, dict)]


def _write_installs(system: System, *, done: list[dict[str, Any]], earlier: list[dict[str, Any]]) -> None:
    document = {"version": 1, "installs": done} | ({"earlier": earlier} if earlier else {})
    text = json.dumps(document, indent=2) + "\n"
    # No secret in it, and `nodectl status` of the admin reads it.
    system.files.write(system.root / CONFIG / INSTALLS_FILE, text.encode(), mode=0o644)
