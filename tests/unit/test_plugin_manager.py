import sys
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest

from node.hookspecs import StatusLine, hookimpl
from node.model.answers import Section, SectionModel
from node.model.inventory import Inventory
from node.model.problem import Severity
from node.persist.migrations import MigrationError
from node.plugin_manager import Plugins


class Good:
    @hookimpl
    def node_status_panels(self, inventory: Inventory) -> list[StatusLine]:
        return [StatusLine("good", inventory.architecture)]


class Raising:
    @hookimpl
    def node_status_panels(self) -> list[StatusLine]:
        raise RuntimeError("no power")


class Leaving:
    @hookimpl
    def node_status_panels(self) -> list[StatusLine]:
        sys.exit("bye")


class LateRaising:
    @hookimpl
    def node_status_panels(self) -> Iterator[StatusLine]:
        yield StatusLine("half", "done")
        raise RuntimeError("too late for the caller")


class Misspelt:
    @hookimpl
    def node_status_pannels(self) -> list[StatusLine]:
        return []


def loaded(**plugins: object) -> Plugins:
    manager = Plugins()
    for name, plugin in plugins.items():
        manager.add(name, lambda plugin=plugin: plugin)
    return manager


def test_each_plugin_is_asked_alone_and_in_the_order_of_loading() -> None:
    manager = loaded(a=Good(), b=Good())
    answers = list(manager.call("node_status_panels", inventory=Inventory()))
    assert [(a.plugin, a.value) for a in answers] == [
        ("a", (StatusLine("good", "x86_64"),)),
        ("b", (StatusLine("good", "x86_64"),)),
    ]


@pytest.mark.parametrize("bad", [Raising(), LateRaising(), Leaving()])
def test_a_plugin_that_raises_is_named_and_passed_over(bad: object) -> None:
    manager = loaded(bad=bad, good=Good())
    assert [a.plugin for a in manager.call("node_status_panels", inventory=Inventory())] == ["good"]
    (problem,) = manager.problems
    assert problem.owner == "bad"
    assert "node_status_panels" in problem.what
    assert problem.severity is Severity.WARNING


def test_a_misspelt_hook_is_refused_by_name() -> None:
    manager = loaded(bad=Misspelt())
    assert manager.names() == ()
    assert "node_status_pannels" in manager.problems[0].what


def test_a_plugin_for_another_interface_is_refused() -> None:
    manager = loaded(new=SimpleNamespace(NODECRUST_API=99))
    assert manager.names() == ()
    assert "99" in manager.problems[0].what


def test_one_that_cannot_be_imported_is_named() -> None:
    manager = Plugins()

    def load() -> object:
        raise ModuleNotFoundError("No module named 'vendor_raid'")

    manager.add("vendor", load)
    assert "vendor_raid" in manager.problems[0].what


def test_a_built_in_that_fails_stops_the_work() -> None:
    manager = loaded(storage=Raising())
    assert list(manager.call("node_status_panels", inventory=Inventory())) == []
    assert manager.problems[0].severity is Severity.ERROR


class Lamp(SectionModel):
    key: ClassVar[str] = "lamp"
    schema_version: ClassVar[int] = 3


class LampPlugin:
    @hookimpl
    def node_sections(self) -> list[Section]:
        return [Section(Lamp, "Lamp")]

    @hookimpl
    def node_migrate(self, section: str, values: Any, version: int) -> Any:
        return {**values, f"from{version}": True} if section == "lamp" else None


def test_old_sections_are_brought_up_to_date_by_their_plugins() -> None:
    manager = loaded(good=Good(), lamp=LampPlugin())
    document = {"version": 1, "sections": {"lamp": {"on": True}, "foreign": {}}}
    assert manager.migrate(document) == {
        "version": 1,
        "section_versions": {"lamp": 3},
        "sections": {"lamp": {"on": True, "from1": True, "from2": True}, "foreign": {}},
    }


def test_a_plugin_that_fails_to_bring_its_section_up_to_date_is_named() -> None:
    class Broken(LampPlugin):
        @hookimpl
        def node_migrate(self, version: int) -> Any:
            raise RuntimeError("no filament")

    manager = loaded(lamp=Broken())
    with pytest.raises(MigrationError, match="section 'lamp' of version 1"):
        manager.migrate({"version": 1, "sections": {"lamp": {"on": True}}})
    assert "no filament" in manager.problems[0].what
