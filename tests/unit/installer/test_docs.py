from __future__ import annotations

from pathlib import Path

import pytest

from node.installer import docs
from node.installer.answers import merge, validate
from node.installer.document import read_document
from node.installer.flow import load_plugins
from node.installer.keys import KnownKeys
from node.model.answers import sections_by_key

DOCS = Path(__file__).parents[3] / "docs"


@pytest.fixture(autouse=True)
def _no_outside_plugins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NODECRUST_PLUGINS", "")


@pytest.mark.parametrize("name", ["answers.md", "kernel-arguments.md"])
def test_the_pages_are_what_the_code_says(name: str):
    assert (DOCS / name).read_text() == docs.pages()[name], "run: python -m node.installer.docs"


def test_the_example_is_right():
    layer, problems = read_document(docs.EXAMPLE.encode(), name="example.yaml")
    assert not problems
    assert not validate(merge([layer]), load_plugins().models())[1]


def test_every_key_is_described():
    known = KnownKeys(sections_by_key(load_plugins().sections()))
    assert not [entry.dotted for entry in known if not entry.field.description]
