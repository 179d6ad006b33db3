"""Reads what is given for the configuration: single values, and whole documents with their lines."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from node.agent.edits import Edit, Operator, parse_path, split_edit
from node.agent.masking import holds_secret
from node.errors import InputError
from node.installer.answers import VERSION
from node.installer.document import read_document, scalar
from node.model.answers import Layer, SectionModel
from node.model.problem import Problem

STDIN = "-"


def read_edits(texts: Sequence[str], models: Mapping[str, type[SectionModel]]) -> list[Edit]:
    """Give the changes that the words of a command line say; InputError where one can't be read.

    A secret on the command line is refused: every program on the node can read it there.
    """
    edits = []
    for key, operator, value in _split(texts):
        path = parse_path(key)
        read = read_value(value)
        if not value.startswith("@") and holds_secret(path, read, models):
            raise InputError(
                f"{key} is a secret or has one in it, which every program here could read",
                mend=f"Set a password by nodectl password, or give {key}=@FILE or {key}=@-",
            )
        edits.append(Edit(path, operator, read))
    return edits


def _split(texts: Sequence[str]) -> list[tuple[str, Operator, str]]:
    """Take `KEY VALUE` and `KEY += VALUE` in words of their own, too, where they stand alone."""
    if "=" not in texts[0]:
        if len(texts) == 2:
            return [(texts[0], Operator.SET, texts[1])]
        if len(texts) == 3 and texts[1] in set(Operator):
            return [(texts[0], Operator(texts[1]), texts[2])]
    return [split_edit(text) for text in texts]


def read_value(text: str) -> Any:
    """Give what is meant: @FILE and @- are read; [..], {..} and quotes are YAML; all else is one word of it.

    An empty value, or null, is None.
    """
    if text.startswith("@"):
        return _of_file(text[1:])
    return _word(text)


def read_layer(name: str) -> Layer:
    """Read a document from a file or, for `-`, standard input; InputError with every problem of its form."""
    contents = _contents(name)
    shown = "standard input" if name == STDIN else name
    return layer_of(contents, shown)


def layer_of(contents: bytes, name: str) -> Layer:
    """Read a document; InputError with every problem of its form. `version` may stand in it."""
    layer, problems = read_document(contents, name=name)
    if problems:
        raise InputError(f"{name} can't be read", problems=problems)
    values = dict(layer.values)
    if values.pop("version", VERSION) != VERSION:
        wrong = Problem(
            "answers-version", "version", "is not known here", f"Write version: {VERSION}",
            layer.origin("version"),
        )  # fmt: skip
        raise InputError(f"{name} can't be read", problems=[wrong])
    return Layer(layer.precedence, values, layer.name, layer.places)


def _of_file(name: str) -> Any:
    text = _contents(name).decode("utf-8", errors="replace")
    if "\n" not in text.strip() and ": " not in text:
        return _word(text.strip())
    return _yaml("value:\n" + "".join(f"  {line}\n" for line in text.splitlines()), name)["value"]


def _word(text: str) -> Any:
    if text[:1] in ("[", "{", '"', "'"):
        return _yaml(f"value: {text}", "the value")["value"]
    return scalar(text)


def _yaml(text: str, name: str) -> Any:
    layer, problems = read_document(text.encode(), name=name)
    if problems:
        raise InputError(f"{name} can't be read", problems=problems)
    return layer.values


def _contents(name: str) -> bytes:
    try:
        return sys.stdin.buffer.read() if name == STDIN else Path(name).read_bytes()
    except OSError as error:
        raise InputError(f"{name}: {error.strerror or error}", mend="Name a file that can be read") from None
