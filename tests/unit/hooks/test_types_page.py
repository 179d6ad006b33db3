"""The types of hooks have their page, and it is what the code says."""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from node.cli import type_docs
from node.plugin_host.hooks import signatures

PAGE = Path(__file__).parents[3] / "docs/types.md"
KINDS = {kind for kinds in type_docs.GROUPS.values() for kind in kinds}


def test_the_page_is_what_the_code_says() -> None:
    assert PAGE.read_text() == type_docs.page_text(), "run: python -m node.cli.type_docs"


def test_it_has_every_type_that_a_hook_takes_or_gives() -> None:
    given = {kind for one in signatures().values() for kind in named((*one.arguments.values(), one.result))}
    assert given - KINDS == set()


def test_it_has_the_types_of_their_fields() -> None:
    hints = [typing.get_type_hints(kind) for kind in KINDS if dataclasses.is_dataclass(kind)]
    assert set(named(tuple(hint for each in hints for hint in each.values()))) - KINDS == set()


def test_a_section_has_its_fields_and_what_it_says() -> None:
    text = PAGE.read_text()
    section = text.partition("### Firmware\n")[2].partition("\n### ")[0]
    assert "How the machine boots" in section
    assert '| `vendor` | `str` | `""` |' in section
    assert "- `write(path: Path, contents: bytes, *, mode: int = 0o644)`: Replace" in text
    assert '`NodeError(brief: str, *, details: str = "", mend: str = "")`' in text


def named(hints: tuple[Any, ...]) -> Iterator[type]:
    for hint in hints:
        if arguments := typing.get_args(hint):
            yield from named(arguments)
        elif isinstance(hint, type) and hint.__module__.startswith("node."):
            yield hint
