"""Plugins that misbehave are named, and nothing they give reaches the planner."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest

from node.hookspecs import LayoutProposal, Support, hookimpl
from node.installer.contributions import PluginTalk
from node.installer.flow import look
from node.model.answers import Answers, Layer, Section, SectionModel
from node.model.install import InstallAnswers
from node.model.inventory import Inventory
from node.model.origin import Precedence
from node.model.problem import Problem, Severity
from node.plugin_manager import Plugins
from node.testing.machines import machine

BLANK = machine("vm-virtio-blank")


def talk(**plugins: object) -> PluginTalk:
    loaded = Plugins()
    for name, plugin in plugins.items():
        loaded.add(name, lambda plugin=plugin: plugin)
    return PluginTalk(loaded)


class Install:
    @hookimpl
    def node_sections(self) -> list[Section]:
        return [Section(InstallAnswers, "Installation")]


class Raising:
    @hookimpl
    def node_sections(self) -> list[Section]:
        raise RuntimeError("boom")

    @hookimpl
    def node_validate(self, answers: Answers, inventory: Inventory) -> Any:
        yield Problem("mine", "x", "is fine", "Mend it")
        raise KeyError("late")


class Nonsense:
    @hookimpl
    def node_sections(self) -> Any:
        return "sections"

    @hookimpl
    def node_support(self, capability: str, inventory: Inventory) -> Any:
        return "very well"

    @hookimpl
    def node_validate(self, answers: Answers, inventory: Inventory) -> Any:
        return ["a problem", Problem("real", "x", "is real", "Mend it")]

    @hookimpl
    def node_kernel_args(self, answers: Answers, inventory: Inventory) -> Any:
        return 7


class Layouts:
    def __init__(self, support: Support, word: str) -> None:
        self._support = support
        self._word = word

    @hookimpl
    def node_support(self, capability: str, inventory: Inventory) -> Support:
        return self._support if capability == "disk-layout" else Support.NONE

    @hookimpl
    def node_disk_layout(self, inventory: Inventory, answers: Answers, install_id: str) -> LayoutProposal:
        return LayoutProposal(None, (Problem("chosen", "storage", self._word, "Mend it"),))


def test_failures_are_named_and_the_rest_goes_on():
    asked = talk(install=Install(), raising=Raising(), nonsense=Nonsense())
    assert list(asked.models()) == ["install"]
    found = asked.contributions()
    assert [p.code for p in found.validate(Answers({}), BLANK)] == ["real"]
    assert found.lay_out(BLANK, Answers({}), "id") == LayoutProposal(None)
    assert found.kernel_args(Answers({}), BLANK) == []
    words = {(p.owner, p.what) for p in found.problems()}
    assert ("raising", "failed in node_sections: RuntimeError: boom") in words
    assert ("nonsense", "gave a str in node_sections, not a tuple") in words
    assert ("nonsense", "gave a str in node_support, not a int") in words
    assert ("nonsense", "gave a str in node_validate, not a Problem") in words
    assert ("nonsense", "gave a int in node_kernel_args, not a tuple") in words
    assert {p.severity for p in found.problems()} == {Severity.WARNING}


@pytest.mark.parametrize("first", ["a", "b"])
def test_the_highest_support_wins_and_ties_go_by_name(first: str):
    generic = Layouts(Support.GENERIC, "generic")
    vendor = Layouts(Support.VENDOR, "vendor")
    asked = talk(zeta=generic, alpha=vendor) if first == "a" else talk(alpha=vendor, zeta=generic)
    (problem,) = asked.contributions().lay_out(BLANK, Answers({}), "id").problems
    assert (problem.what, problem.owner) == ("vendor", "alpha")
    tied = talk(b=Layouts(Support.GENERIC, "b"), a=Layouts(Support.GENERIC, "a"))
    assert tied.contributions().lay_out(BLANK, Answers({}), "id").problems[0].what == "a"


def test_a_section_that_another_plugin_has_is_left_out():
    class Second(SectionModel):
        key: ClassVar[str] = "install"

    class Claims:
        @hookimpl
        def node_sections(self) -> list[Section]:
            return [Section(Second, "Mine")]

    asked = talk(install=Install(), claims=Claims())
    assert asked.models() == {"install": InstallAnswers}
    assert "which another plugin has" in asked.problems()[0].what


def test_a_section_without_defaults_is_left_out():
    class Demanding(SectionModel):
        key: ClassVar[str] = "demanding"
        must: str

    class Demands:
        @hookimpl
        def node_sections(self) -> list[Section]:
            return [Section(Demanding, "Demanding")]

    asked = talk(demands=Demands())
    assert asked.models() == {}
    assert "has no defaults" in asked.problems()[0].what


def test_a_model_that_crashes_is_a_problem():
    class Crashing(SectionModel):
        key: ClassVar[str] = "crashing"
        value: str = ""

        def model_post_init(self, context: object) -> None:
            if self.value:
                raise RuntimeError("boom")

    class Crashes:
        @hookimpl
        def node_sections(self) -> list[Section]:
            return [Section(Crashing, "Crashing")]

    seen = look(talk(crashes=Crashes()), [Layer(Precedence.FILE, {"crashing": {"value": "x"}})], BLANK)
    assert "its plugin failed with RuntimeError" in seen.plan.problems[0].what
    assert seen.plan.refused
