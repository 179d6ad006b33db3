"""The configuration as an operator edits it: what is set, and as comments all that could be."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import BaseModel

from node.agent.masking import to_yaml
from node.cli.config_values import layer_of
from node.installer.problem_text import problem_lines
from node.model.answers import Layer, Section
from node.model.problem import Problem

_HEAD = """\
# The configuration of this node. Lines that begin with # count for nothing: they say what else there is.
# Stars stand for a secret that stays as it is. Save and leave the editor to go on; to change nothing,
# leave the file as it was.
"""
_COLUMNS = 100


def form(sections: Sequence[Section], values: Mapping[str, Any], problems: Sequence[Problem] = ()) -> str:
    """Give the text. `values` are masked; sections of plugins that are not here stand at its end."""
    parts = [_HEAD, *_complaints(problems)]
    for section in sections:
        parts.append("\n" + _comment(section.help or section.title, ""))
        lines = list(_fields(section.model, values.get(section.key) or {}, "  "))
        parts.append(f"{section.key}:\n")
        parts += lines
    known = {section.key for section in sections}
    if strange := {key: value for key, value in values.items() if key not in known}:
        parts.append("\n# Sections of plugins that are not in this image.\n" + to_yaml(strange))
    return "".join(parts)


def with_problems(text: str, problems: Sequence[Problem]) -> str:
    """Give an edited text with these problems above it, in place of those that stood there before."""
    lines = [line for line in text.splitlines(keepends=True) if not line.startswith("#!")]
    return "".join([*_complaints(problems), *lines])


def read_form(text: str) -> Layer:
    """Read it; InputError with every problem of its form."""
    return layer_of(text.encode(), "the edited configuration")


def _complaints(problems: Sequence[Problem]) -> list[str]:
    if not problems:
        return []
    lines = ["What follows must be mended first; these lines go by themselves.", *problem_lines(problems)]
    return [f"#! {line}\n" for line in lines]


def _fields(model: type[BaseModel], values: Mapping[str, Any], indent: str) -> Iterator[str]:
    """Give the lines of a model: its fields that are set as YAML, the others commented out."""
    for name, field in model.model_fields.items():
        key = field.alias or name
        if field.description:
            yield _comment(field.description, indent)
        nested = field.annotation
        inner = nested if isinstance(nested, type) and issubclass(nested, BaseModel) else None
        if inner and values.get(key):
            yield f"{indent}{key}:\n"
            yield from _fields(inner, values[key], f"{indent}  ")
        elif inner:
            yield f"{indent}#{key}:\n"
            yield from (_off(line) for line in _fields(inner, {}, f"{indent}  "))
        elif key in values:
            yield textwrap.indent(to_yaml({key: values[key]}), indent)
        else:
            default = field.get_default(call_default_factory=True)
            yield f"{indent}#{to_yaml({key: _plain(default)}).rstrip()}\n"
    for key in values:
        if key not in {field.alias or name for name, field in model.model_fields.items()}:
            yield textwrap.indent(to_yaml({key: values[key]}), indent)


def _off(line: str) -> str:
    stripped = line.lstrip(" ")
    return line if stripped.startswith("#") else f"{line[: len(line) - len(stripped)]}#{stripped}"


def _plain(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    return list(value) if isinstance(value, tuple | set | frozenset) else value


def _comment(text: str, indent: str) -> str:
    lead = f"{indent}# "
    return textwrap.fill(" ".join(text.split()), _COLUMNS, initial_indent=lead, subsequent_indent=lead) + "\n"
