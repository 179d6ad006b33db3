"""All four examples at once, as a node has them: from outside, in the plugin host."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from node.agent.health import ask_plugins
from node.installer.engine import run_plan
from node.installer.flow import look
from node.installer.plan_text import plan_lines, plan_to_data
from node.installer.preparing import NoMemory, Preparation
from node.installer.tui.derived import pages_of
from node.model.answers import Layer
from node.model.event import Event
from node.model.inventory import Inventory
from node.model.origin import Precedence
from node.plugin_host import host
from node.testing.fake_system import FakeSystem
from node.testing.inventories import a_disk, a_nic, build_inventory
from node.testing.workbench import BASE
from tests.plugins.conftest import Loader
from tests.plugins.site import Site

ROOT = Path(__file__).parents[2]
NIC = a_nic("eno1")
BARE = build_inventory("vm-virtio-blank", disks=[], nics=[NIC])
READY = build_inventory(BARE, disks=[replace(a_disk("SIMVOL"), vendor="RAIDSIM", model="VOLUME-RAID1")])
ASKED: dict[str, Any] = {
    "raid": {"level": "1"},
    "burn_in": {"minutes": 1},
    "vendor_network": {"names": {NIC.mac: "port0"}, "virtual_functions": {NIC.mac: 4}},
}


@pytest.fixture
def load(monkeypatch: pytest.MonkeyPatch) -> Iterator[Loader]:
    """Load with time enough: none of these hangs, and a busy machine is no reason to fail."""
    monkeypatch.setattr(host, "CALL_TIMEOUT_S", 120.0)
    monkeypatch.setattr(host, "IMPORT_TIMEOUT_S", 120.0)
    loader = Loader()
    yield loader
    for plugins in loader.made:
        plugins.close()


@pytest.fixture
def examples(site: Site) -> None:
    """The packages themselves, with the metadata that an installation of them would have."""
    for folder in (ROOT / "examples").glob("*/pyproject.toml"):
        project = tomllib.loads(folder.read_text())["project"]
        package = project["name"].replace("-", "_")
        (site.folder / package).symlink_to(folder.parent / package)
        info = site.folder / f"{package}-{project['version']}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n"
            f"Keywords: {','.join(project['keywords'])}\n\n"
        )
        ((name, value),) = project["entry-points"]["nodecrust"].items()
        (info / "entry_points.txt").write_text(f"[nodecrust]\n{name} = {value}\n")


def planned(load: Loader, inventory: Inventory, **more: Any) -> Any:
    layers = [Layer(Precedence.DEFAULT, BASE), Layer(Precedence.FILE, {**ASKED, **more}, "answers.yaml")]
    return look(load.talk(), layers, inventory, for_show=True).plan


def test_all_are_loaded_and_well(examples: None, load: Loader) -> None:
    plugins = load()
    assert {"burn-in", "extra-facts", "raid-controller", "vendor-network"} <= set(plugins.names())
    told = ask_plugins(plugins, READY)
    assert {"temperatures", "SMART"} <= {check.name for check in told.checks}
    facts = {one.plugin: one.value for one in plugins.call("node_probe", inventory=READY)}
    assert "dmi" in facts["extra-facts"]
    assert plugins.problems == []


def test_the_controller_comes_first_then_the_rest(examples: None, load: Loader) -> None:
    plan = planned(load, BARE)
    assert not plan.refused, plan.problems
    (step,) = plan_to_data(plan, BARE)["prepare"]
    assert (step["owner"], step["step"]) == ("raid-controller", "raid_controller.steps:MakeVolume")
    assert "1. Make a RAID 1 volume of all free drives" in "\n".join(plan_lines(plan, BARE))
    ready = planned(load, READY)
    assert ready.prepare == ()
    owners = {one.owner for one in ready.steps}
    assert "burn-in" in owners
    assert "raid-controller" not in owners
    assert any("intel_iommu=on" in str(one.step) or "iommu=pt" in str(one.step) for one in ready.steps)


def test_the_engine_runs_the_controllers_step_in_a_process_of_its_own(
    examples: None, load: Loader, tmp_path: Path
) -> None:
    said: list[str] = []

    def system(_progress: Any, say: Any) -> FakeSystem:
        made = FakeSystem(BARE)
        made.outputs["python3"] = '{"serial": "SIM0001", "drives": [], "volumes": []}'
        made.say = say  # type: ignore[method-assign]
        return made

    def install(plan: Any, observers: Any) -> None:
        run_plan(plan, system_factory=system, observers=observers, journal=tmp_path / "journal")

    def observe(event: Event) -> None:
        said.append(event.message)

    assert not Preparation(NoMemory(), install).run(planned(load, BARE), [observe])
    assert "the controller SIM0001 has a volume of level 1" in said


def test_its_page_stands_before_the_disks(examples: None, load: Loader) -> None:
    keys = [page.key for page in pages_of(load.talk().sections())]
    assert keys.index("raid") < keys.index("disk")
    assert {"burn_in", "vendor_network"} <= set(keys)


def test_a_restart_is_asked_for_through_the_host(site: Site, load: Loader) -> None:
    site.add(
        "firmware",
        """
        from node.model.step import PrepareStep

        @dataclass(frozen=True)
        class Update(PrepareStep):
            reboots: ClassVar[bool] = True
            version: str = "2"
            def summary(self): return "Update the firmware"
            def apply(self, system): system.say("updated")
            def done(self, inventory): return inventory.firmware.version == self.version

        @hookimpl
        def node_prepare(): return [Update()]
        """,
    )
    left: list[Any] = []
    layers = [Layer(Precedence.DEFAULT, BASE)]
    talk = load.talk()
    plan = look(talk, layers, BARE, for_show=True).plan
    assert "Update the firmware; the machine restarts then" in "\n".join(plan_lines(plan, BARE))
    assert Preparation(NoMemory(), lambda made, _: left.append(made)).run(plan, [])
    assert [one.step.summary() for one in left[0].steps] == ["Update the firmware"]
    newer = replace(READY, firmware=replace(READY.firmware, version="2"))
    assert look(talk, layers, newer, for_show=True).plan.prepare == ()
