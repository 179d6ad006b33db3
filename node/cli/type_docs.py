"""Writes docs/types.md from the types that hooks take and give: `python -m node.cli.type_docs`."""

from __future__ import annotations

import dataclasses
import inspect
import sys
import textwrap
from collections.abc import Iterator, Mapping
from enum import Enum
from pathlib import Path
from typing import Any, cast

from node import errors, hookspecs
from node.model import (
    answers,
    event,
    health,
    inventory,
    layout,
    origin,
    page,
    problem,
    registration,
    state,
    step,
    system,
)

GROUPS: Mapping[str, tuple[type, ...]] = {
    "Answers": (
        answers.SectionModel,
        answers.Section,
        answers.Answers,
        origin.Origin,
        origin.Precedence,
    ),
    "Pages of the installer": (
        page.Page,
        page.Field,
        page.TextField,
        page.NumberField,
        page.SizeField,
        page.SecretField,
        page.ToggleField,
        page.ChoiceField,
        page.ListField,
        page.DocumentField,
        page.ViewField,
    ),
    "The machine": (
        inventory.Inventory,
        inventory.Firmware,
        inventory.Cpu,
        inventory.Virtualization,
        inventory.Disk,
        inventory.Partition,
        inventory.Contents,
        inventory.Finding,
        inventory.Holding,
        inventory.Nic,
        inventory.BootImage,
        inventory.Installation,
        inventory.Unknown,
    ),
    "Problems": (problem.Problem, problem.Severity, problem.Blame),
    "Plans and steps": (
        hookspecs.Support,
        hookspecs.LayoutProposal,
        layout.Layout,
        layout.PlannedPartition,
        layout.DiskIdentity,
        layout.Role,
        hookspecs.Target,
        step.Step,
        step.PrepareStep,
        step.PlannedStep,
        event.Event,
        event.EventKind,
    ),
    "What a step works through": (
        system.System,
        system.Commands,
        system.Completed,
        system.Files,
        system.Mounts,
        system.Disks,
        system.Payload,
        system.Boot,
        errors.NodeError,
        errors.CommandFailedError,
    ),
    "A node that runs": (
        state.State,
        state.RenderedFile,
        health.HealthCheck,
        health.Outcome,
        hookspecs.StatusLine,
    ),
    "Registration": (
        registration.Backend,
        registration.Around,
        registration.Report,
        registration.Standing,
        registration.Desired,
        registration.Outcome,
        registration.Result,
        registration.Happening,
    ),
}
_TEXT = """\
<!-- Written by python -m node.cli.type_docs; a test compares it with the code. -->

# Types

What [hooks](hooks.md) take and give, and what their steps work through, each with the module that it is
imported from. What is promised of them stands at the hooks: types keep their fields, further ones have a
default.
"""


def page_text() -> str:
    """Give docs/types.md."""
    words = [_TEXT]
    names: set[str] = set()
    for title, kinds in GROUPS.items():
        words.append(f"## {title}\n")
        for kind in kinds:
            # There are two kinds of outcomes.
            module = kind.__module__.rpartition(".")[2]
            name = f"{module}.{kind.__name__}" if kind.__name__ in names else kind.__name__
            names.add(kind.__name__)
            words += [f"### {name}\n", *_section(kind)]
    return "\n".join(words)


def _section(kind: type) -> Iterator[str]:
    yield f"`from {kind.__module__} import {kind.__name__}`\n"
    above = [base.__name__ for base in kind.__bases__ if base.__module__ == kind.__module__]
    if above and not issubclass(kind, Enum):
        yield f"A `{above[0]}`, with what that has.\n"
    for paragraph in (inspect.getdoc(kind) or "").split("\n\n"):
        yield _filled(paragraph) + "\n"
    if issubclass(kind, Enum):
        yield f"Values: {', '.join(f'`{one.name}`' for one in kind)}.\n"
    rows = list(_fields(kind))
    if rows:
        yield "| field | type | default |\n| --- | --- | --- |"
        yield from rows
        yield ""
    methods = list(_methods(kind))
    if methods:
        yield from methods
        yield ""


def _fields(kind: type) -> Iterator[str]:
    own = inspect.get_annotations(kind)
    fields = {one.name: one for one in dataclasses.fields(kind)} if dataclasses.is_dataclass(kind) else {}
    for name, annotation in own.items():
        if "ClassVar" in str(annotation) and not name.startswith("_"):
            default = vars(kind).get(name, dataclasses.MISSING)
            yield _row(name, f"{annotation}", "" if default is dataclasses.MISSING else _value(default))
    for one in fields.values():
        default = "" if one.default is dataclasses.MISSING else _value(one.default, one.name)
        if one.default_factory is not dataclasses.MISSING:
            default = _value(one.default_factory())
        yield _row(one.name, str(one.type), default)


def _row(name: str, annotation: str, default: str) -> str:
    kind = annotation.replace("|", "\\|")
    return f"| `{name}` | `{kind}` | {f'`{default}`' if default else ''} |"


def _value(value: Any, name: str = "") -> str:
    if name == "mode" and isinstance(value, int):
        return f"0o{value:o}"
    if isinstance(value, Enum):
        return f"{type(value).__name__}.{value.name}"
    if dataclasses.is_dataclass(value):
        return "EMPTY" if value == inventory.EMPTY else f"{type(value).__name__}()"
    return f'"{value}"' if isinstance(value, str) else repr(value)


def _methods(kind: type) -> Iterator[str]:
    if issubclass(kind, Exception):
        yield f"- `{kind.__name__}{_signature(kind.__init__)}`"
    for name, found in vars(kind).items():
        if name.startswith("_") and name != "__getitem__":
            continue
        if isinstance(found, property):
            yield _item(f"{name}: {inspect.signature(cast('Any', found.fget)).return_annotation}", found)
        elif inspect.isfunction(found):
            yield _item(f"{name}{_signature(found)}", found)


def _signature(function: Any) -> str:
    found = inspect.signature(function)
    words: list[str] = []
    for one in found.parameters.values():
        if one.name == "self":
            continue
        if one.kind is one.KEYWORD_ONLY and "*" not in words:
            words.append("*")
        default = "" if one.default is one.empty else f" = {_value(one.default, one.name)}"
        words.append(f"{one.name}: {one.annotation}{default}")
    given = found.return_annotation
    return f"({', '.join(words)}){f' -> {given}' if given not in ('None', found.empty) else ''}"


def _item(lead: str, found: Any) -> str:
    said = " ".join((inspect.getdoc(found) or "").split())
    return textwrap.fill(
        f"- `{lead}`: {said}", 110, subsequent_indent="  ", break_on_hyphens=False, break_long_words=False
    )


def _filled(paragraph: str) -> str:
    return textwrap.fill(paragraph, 110, break_on_hyphens=False, break_long_words=False)


def main() -> None:
    """Write it into the folder that is given, docs/ by default."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path("docs")
    (folder / "types.md").write_text(page_text(), encoding="utf-8")


if __name__ == "__main__":
    main()
