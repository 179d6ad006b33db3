"""A backend of registration of a plugin from outside: settings here, at work in a process of its own.

That process is forked from the agent, so that the backend has all that `Around` offers; what it gives comes
back as data. Its plugin is imported there and nowhere else but in the host.
"""

from __future__ import annotations

import importlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, is_dataclass
from functools import cache
from typing import Any

from pydantic import TypeAdapter, ValidationError

from node.errors import NodeError, TryAgainError
from node.model.registration import Around, Desired, Outcome, Report
from node.plugin_host.host import lent
from node.plugin_host.words import shown, shown_all, sound
from node.system.child import Kind, run_child
from node.system.child import Report as Said

# Less than the agent gives any backend, so that it is the process that is ended, and by name.
_VISIT_S = 230.0


@dataclass(frozen=True)
class OutsideBackend:
    """A stand-in; fulfils `node.model.registration.Backend`. `fields` are the backend's settings."""

    plugin: str
    name: str
    kind: str
    fields: Mapping[str, Any]

    def visit(self, around: Around) -> Report:
        """Let it do what is to be done now."""
        found: Report = self._read(Report, self._apart("visit", around))
        return shown_all(found)

    def reaches(self, around: Around) -> bool:
        """Let it tell whether its server can be reached."""
        return self._apart("reaches", around) is True

    def settle(self, around: Around, desired: Desired, outcome: Outcome | None) -> None:
        """Let it hear what became of a desired configuration."""
        self._apart("settle", around, desired, outcome)

    def _apart(self, method: str, *arguments: Any) -> Any:
        """Call a method in a process of its own and give what it gave, as plain data."""
        said: list[str] = []

        def work(say: Any) -> None:
            try:
                backend = _adapter(_class(self.kind)).validate_python(dict(self.fields))
                gave = getattr(backend, method)(*arguments)
                kind: Any = type(gave) if isinstance(gave, Report) else Any
                answer = {"gave": _adapter(kind).dump_python(gave, mode="json")}
            except NodeError as error:
                again = isinstance(error, TryAgainError)
                answer = {
                    "error": [shown(error.brief), shown(error.details), shown(error.mend)],
                    "again": again,
                }
            say(json.dumps(answer))

        def hear(report: Said) -> None:
            if report.kind is Kind.SAY:
                said[:] = [report.message]

        def voice(_progress: Any, say: Any) -> Any:
            return say

        with lent():
            failure = run_child(work, system_factory=voice, timeout_s=_VISIT_S, on_report=hear)
        if failure:
            raise NodeError(f"plugin {self.plugin} failed: {shown(failure.brief, 300)}", mend=failure.mend)
        return self._heard(said)

    def _heard(self, said: list[str]) -> Any:
        try:
            answer = sound(json.loads(said[0]))
            if "error" in answer:
                kind = TryAgainError if answer.get("again") else NodeError
                brief, details, mend = map(str, answer["error"])
                raise kind(shown(brief), details=shown(details), mend=shown(mend))
            return answer["gave"]
        except (ValueError, LookupError, TypeError):
            raise NodeError(f"plugin {self.plugin} gave no answer that can be read") from None

    def _read(self, kind: Any, data: Any) -> Any:
        try:
            return _adapter(kind).validate_python(data)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            where = ".".join(map(str, first["loc"]))
            raise NodeError(
                f"plugin {self.plugin} gave no {kind.__name__}: {where}: {first['msg']}"
            ) from None


def describe_backend(value: Any) -> dict[str, Any]:
    """Give a backend as plain data; ValueError where it could not be made again elsewhere."""
    kind: Any = type(value)
    name = getattr(value, "name", None)
    missing = [one for one in ("visit", "reaches", "settle") if not callable(getattr(value, one, None))]
    if not isinstance(name, str) or not name.replace("-", "").isalnum() or missing:
        raise ValueError("gave in node_register what is no backend")
    if not is_dataclass(value):
        raise ValueError(f"its backend {name} is no dataclass of settings")
    fields = _adapter(kind).dump_python(value, mode="json")
    reference = f"{kind.__module__}:{kind.__qualname__}"
    try:
        again = _adapter(_class(reference)).validate_python(fields)
    except Exception as error:
        raise ValueError(
            f"its backend {name} can't be made again from its settings: {type(error).__name__}"
        ) from None
    if again != value:
        raise ValueError(f"its backend {name} is another one when it is made again from its settings")
    return {"name": name, "kind": reference, "fields": fields}


def outside_backend(data: Any, plugin: str) -> OutsideBackend:
    """Make the stand-in of what `describe_backend` gave; ValueError where that is none."""
    try:
        name = str(data["name"])
        if not name.replace("-", "").isalnum():
            raise ValueError("gave in node_register what is no backend")
        return OutsideBackend(plugin, name, str(data["kind"]), dict(data["fields"]))
    except (LookupError, TypeError):
        raise ValueError("gave in node_register what is no backend") from None


def _class(reference: str) -> Any:
    module, _, name = reference.partition(":")
    found: Any = importlib.import_module(module)
    for part in name.split("."):
        found = getattr(found, part)
    return found


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)
