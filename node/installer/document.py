"""Reads an answers document, YAML or JSON, into plain values with the line that each one stands at."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from node.model.answers import Layer
from node.model.origin import Origin, Precedence
from node.model.problem import Problem

# Bounds against a document that is a bomb of aliases or simply the wrong file.
MAX_BYTES = 1 << 20
MAX_NODES = 100_000
MAX_DEPTH = 64

# YAML 1.2's core schema, and no more: `no` is Norway's keyboard, 52:54:00:12:34:56 a MAC, 0123 a serial
# number; YAML 1.1 would make false, a number and an octal number of them.
_BOOLEAN = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_NULL = {"", "~", "null", "Null", "NULL"}
_INTEGER = re.compile(r"-?(0|[1-9][0-9]*)")
_STANDARD = "tag:yaml.org,2002:"
_TAGS = ("str", "int", "float", "bool", "null", "timestamp", "merge", "value", "map", "seq")
_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)\.[0-9]+([eE][-+]?[0-9]+)?")


@dataclass
class _Reading:
    """What is gathered while the nodes of one document are walked."""

    name: str
    precedence: Precedence
    places: dict[str, str] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    nodes: int = 0

    def place(self, mark: yaml.Mark) -> str:
        return f"{self.name}, line {mark.line + 1}"

    def complain(self, code: str, where: str, what: str, mend: str, mark: yaml.Mark | None = None) -> None:
        place = self.place(mark) if mark else self.name
        self.problems.append(Problem(code, where, what, mend, Origin(self.precedence, place)))


def read_document(
    contents: bytes, *, name: str, precedence: Precedence = Precedence.FILE
) -> tuple[Layer, tuple[Problem, ...]]:
    """Give a document as a layer, and every problem of its form; the layer is empty where it can't be read.

    `name` is what messages call it. Values are strings, numbers, booleans, None, lists and dictionaries
    with text as keys. No message repeats a piece of the document but keys, since it may hold secrets.
    """
    reading = _Reading(name, precedence)
    text = _decode(contents, reading)
    values: Any = None
    if text is not None and text.lstrip().startswith("{") and (document := _read_json(text)) is not None:
        values = document
        _find_places(text, reading)
    elif text is not None and (root := _compose(text, reading)) is not None:
        values = _build(root, "", reading, 0)
    if values is None:
        values = {}
    if not isinstance(values, Mapping):
        reading.complain(
            "answers-form", name, "is not a mapping of sections", "Begin with a section, such as storage:"
        )
        values = {}
    return Layer(precedence, values, name, reading.places), tuple(reading.problems)


def scalar(text: str) -> Any:
    """Give what a plain word means: true, false, null, a number that prints as it was written, or text."""
    if text in _BOOLEAN:
        return _BOOLEAN[text]
    if text in _NULL:
        return None
    if _INTEGER.fullmatch(text) and len(text) < 20 and text != "-0":
        return int(text)
    if _NUMBER.fullmatch(text) and str(float(text)) == text:
        return float(text)
    return text


def _decode(contents: bytes, reading: _Reading) -> str | None:
    if len(contents) > MAX_BYTES:
        reading.complain(
            "answers-size", reading.name, f"is larger than {MAX_BYTES >> 20} MiB", "Is it the right file?"
        )
        return None
    try:
        return contents.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = contents.count(b"\n", 0, error.start) + 1
        reading.complain(
            "answers-encoding", reading.name, f"is not UTF-8 text (line {line})", "Save it as UTF-8"
        )
        return None


def _compose(text: str, reading: _Reading) -> yaml.Node | None:
    try:
        return yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        what = error.problem or error.context or "can't be read"
        # PyYAML names the anchor, tag or character that it stumbles over, never a value.
        reading.complain("answers-syntax", reading.name, f"is not valid YAML: {what}", "Correct it", mark)
    except yaml.YAMLError:
        reading.complain(
            "answers-syntax", reading.name, "holds a character that YAML forbids", "Remove control characters"
        )
    except RecursionError:
        reading.complain("answers-syntax", reading.name, "is nested too deeply", "Is it the right file?")
    return None


def _read_json(text: str) -> Any:
    """Give the values of JSON, whose escapes differ from YAML's; None where it is not JSON."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _find_places(text: str, reading: _Reading) -> None:
    """Find the lines and the duplicate keys of JSON, which is nearly YAML."""
    scratch = _Reading(reading.name, reading.precedence)
    # A raw tab is whitespace in JSON and forbidden to YAML; within strings JSON has none.
    root = _compose(text.replace("\t", " "), scratch)
    if root is not None:
        _build(root, "", scratch, 0)
    # What YAML can't read of good JSON (keys of more than 1024 characters) has no line, and no problem.
    reading.places = scratch.places
    reading.problems += [p for p in scratch.problems if p.code in ("duplicate-key", "answers-size")]


def _build(node: yaml.Node, key: str, reading: _Reading, depth: int) -> Any:
    reading.nodes += 1
    if reading.nodes > MAX_NODES or depth > MAX_DEPTH:
        if not any(problem.code == "answers-size" for problem in reading.problems):
            reading.complain("answers-size", reading.name, "holds too much", "Is it the right file?")
        return None
    if key:
        reading.places[key] = reading.place(node.start_mark)
    if node.tag.removeprefix(_STANDARD) not in _TAGS:
        reading.complain(
            "answers-syntax",
            key or reading.name,
            f"has the tag {node.tag.replace(_STANDARD, '!!')}, which means nothing here",
            "Remove the tag",
            node.start_mark,
        )
        return None
    if isinstance(node, yaml.MappingNode):
        return _build_mapping(node, key, reading, depth)
    if isinstance(node, yaml.SequenceNode):
        return [_build(item, f"{key}.{number}", reading, depth + 1) for number, item in enumerate(node.value)]
    text = str(node.value)
    plain = isinstance(node, yaml.ScalarNode) and node.style is None
    return scalar(text) if plain and node.tag != f"{_STANDARD}str" else text


def _build_mapping(node: yaml.MappingNode, key: str, reading: _Reading, depth: int) -> dict[str, Any]:
    values: dict[str, Any] = {}
    lines: dict[str, int] = {}
    for name_node, value_node in node.value:
        if not isinstance(name_node, yaml.ScalarNode):
            reading.complain(
                "answers-syntax", key or reading.name, "has a key that is not a word", "Write a word as key",
                name_node.start_mark,
            )  # fmt: skip
            continue
        name = str(name_node.value)
        dotted = f"{key}.{name}" if key else name
        if name in values:
            reading.complain(
                "duplicate-key", dotted, f"stands twice, first in line {lines[name]}",
                "Keep one of the two", name_node.start_mark,
            )  # fmt: skip
            continue
        lines[name] = name_node.start_mark.line + 1
        values[name] = _build(value_node, dotted, reading, depth + 1)
        reading.places[dotted] = reading.place(name_node.start_mark)
    return values
