"""Every hook has its page with the exact signature, and a test."""

from __future__ import annotations

import typing
from pathlib import Path

import pytest

from node.cli import hook_docs
from node.hookspecs import API_VERSION, Hooks
from node.model.step import PHASES
from tests.unit.hooks import test_each_hook

PAGE = Path(__file__).parents[3] / "docs/hooks.md"
HOOKS = list(hook_docs.hooks())


def test_the_page_is_what_the_code_says() -> None:
    assert PAGE.read_text() == hook_docs.page(), "run: python -m node.cli.hook_docs"


@pytest.mark.parametrize("name", HOOKS)
def test_the_page_has_the_exact_signature(name: str) -> None:
    section = PAGE.read_text().partition(f"### {name}\n")[2].partition("\n### ")[0]
    hints = typing.get_type_hints(vars(Hooks)[name])
    assert f"{hook_docs.signature(name)}: ..." in section
    for argument in hints:
        assert argument == "return" or f"{argument}: " in hook_docs.signature(name)


@pytest.mark.parametrize("name", HOOKS)
def test_the_page_says_all_that_must_be_known(name: str) -> None:
    found = hook_docs.facts(name)
    assert list(found) == list(hook_docs.FACTS)
    assert all(found.values())
    assert 1 <= int(found["Since"]) <= API_VERSION


def test_the_phases_stand_at_node_plan_in_their_order() -> None:
    section = PAGE.read_text().partition("### node_plan\n")[2].partition("\n### ")[0]
    listed = [line.split("`")[1] for line in section.splitlines() if line.startswith("- `")]
    assert listed == list(PHASES)


@pytest.mark.parametrize("name", HOOKS)
def test_a_test_calls_it(name: str) -> None:
    assert hasattr(test_each_hook, f"test_{name}"), "write one: tests/unit/hooks/test_each_hook.py"
