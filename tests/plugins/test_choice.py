"""Built-ins can be turned off and others put in their place; of several that can do it one is chosen."""

from __future__ import annotations

import pytest

from node.installer.plan_text import plan_lines, plan_to_data
from node.model.layout import Role
from node.model.problem import Severity
from tests.plugins.conftest import Loader
from tests.plugins.site import Site
from tests.plugins.test_misbehaving import BLANK, planned

LAYOUT = """
from dataclasses import replace
from uuid import UUID
from node.model.layout import DiskIdentity, Layout, PlannedPartition, Role, identifier

@hookimpl
def node_support(capability):
    return Support.{level} if capability == "disk-layout" else Support.NONE

@hookimpl
def node_disk_layout(inventory, answers, install_id):
    {first}
    disk = inventory.disks[0]
    seed = UUID(install_id)
    identity = DiskIdentity(disk.node, disk.size, disk.sector_size, disk.serial, disk.wwn, disk.model)
    made = PlannedPartition(
        Role.CONFIG, 1, 1 << 20, 512 << 20, identifier(seed, "config"), "ext4",
        filesystem_uuid=str(identifier(seed, "config-fs")),
    )
    return LayoutProposal(Layout(identity, identifier(seed, "table"), (made,)))
"""


def test_a_layout_plugin_that_knows_the_machine_better_is_chosen(site: Site, load: Loader) -> None:
    site.good()
    site.add("acme-disks", LAYOUT.format(level="VENDOR", first="pass"))
    seen = planned(load.talk())
    assert not seen.plan.refused, [str(one) for one in seen.plan.problems]
    assert seen.plan.layout is not None
    assert [one.role for one in seen.plan.layout.partitions] == [Role.CONFIG]
    (told,) = plan_to_data(seen.plan, BLANK)["chosen"]
    assert told == {
        "capability": "disk-layout",
        "plugin": "acme-disks",
        "why": "it knows this machine better (vendor) than storage (generic)",
    }
    text = " ".join(" ".join(plan_lines(seen.plan, BLANK)).split())
    assert "Plugin acme-disks does disk-layout here: it knows this machine better" in text


def test_of_equals_the_built_in_lays_out_the_disk(site: Site, load: Loader) -> None:
    site.good()
    site.add("acme-disks", LAYOUT.format(level="GENERIC", first="pass"))
    seen = planned(load.talk())
    assert seen.plan.layout is not None
    assert seen.plan.layout.get(Role.ROOT_A)
    assert "a built-in comes first" in seen.plan.chosen[0].why


@pytest.mark.parametrize(
    "first", ["raise RuntimeError", "ctypes.string_at(1)", "return 7", "time.sleep(600)"]
)
def test_where_the_best_fails_the_next_is_asked_and_that_is_said(
    first: str, site: Site, load: Loader
) -> None:
    site.good()
    site.add("acme-disks", LAYOUT.format(level="VENDOR", first=first))
    seen = planned(load.talk())
    assert seen.plan.layout is not None
    assert seen.plan.layout.get(Role.ROOT_A)
    assert (seen.plan.chosen[0].plugin, seen.plan.chosen[0].why) == ("storage", "acme-disks failed")
    assert not seen.plan.refused
    refused = planned(load.talk(), plugins={"required": "acme-disks"})
    assert refused.plan.refused


NOTHING = """
@hookimpl
def node_support(capability):
    return Support.{level} if capability == "boot-loader" else Support.NONE

@hookimpl
def node_plan():
    {first}
    return []
"""


def kinds(seen: object) -> set[str]:
    return {str(one.step.to_data()["step"]).rpartition(":")[2] for one in seen.plan.steps}  # type: ignore[attr-defined]


def test_a_boot_loader_plugin_that_writes_nothing(site: Site, load: Loader) -> None:
    site.good()
    site.add("no-boot", NOTHING.format(level="VENDOR", first="pass"))
    seen = planned(load.talk())
    assert not seen.plan.refused
    assert not {"CopyKernel", "WriteGrubConfig", "InstallBiosGrub", "WriteEspLoaders"} & kinds(seen)
    assert {"WriteRootImage", "BeGood"} <= kinds(seen)
    assert [(one.capability, one.plugin) for one in seen.plan.chosen] == [("boot-loader", "no-boot")]


@pytest.mark.parametrize("first", ["raise RuntimeError", "os._exit(1)", "return [1]"])
def test_where_it_fails_the_disk_is_made_bootable_all_the_same(first: str, site: Site, load: Loader) -> None:
    site.good()
    site.add("no-boot", NOTHING.format(level="VENDOR", first=first))
    talk = load.talk()
    for _ in range(2):
        seen = planned(talk)
        assert {"CopyKernel", "WriteGrubConfig", "InstallBiosGrub", "WriteEspLoaders"} <= kinds(seen)


def test_a_plugin_stands_in_for_a_built_in_whatever_the_machine(site: Site, load: Loader) -> None:
    site.good()
    site.add("no-boot", "@hookimpl\ndef node_plan(): return []", replaces="bootloader")
    plugins = load()
    assert "bootloader" not in plugins.names()
    record = plugins.record("bootloader")
    assert record is not None
    assert (record.state, record.why) == ("left out", "plugin no-boot stands in for it")
    seen = planned(load.talk())
    assert not seen.plan.refused
    assert not {"CopyKernel", "WriteGrubConfig"} & kinds(seen)


@pytest.mark.parametrize("code", ["raise RuntimeError", "os._exit(1)", "@hookimpl\ndef node_pln(): pass"])
def test_where_what_stands_in_fails_nothing_is_written(code: str, site: Site, load: Loader) -> None:
    site.good()
    site.add("no-boot", code, replaces="bootloader")
    seen = planned(load.talk())
    assert seen.plan.refused
    assert {one.owner for one in seen.plan.problems if one.severity is Severity.ERROR} == {"no-boot"}


def test_a_built_in_is_left_out_by_name(site: Site, load: Loader, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NODECRUST_PLUGINS", "-cobbler,-bad")
    site.good()
    site.add("bad", "raise RuntimeError")
    plugins = load()
    assert "cobbler" not in plugins.names()
    assert "good" in plugins.names()
    # What was to fail is not asked, and told of is the built-in alone.
    assert [problem.what for problem in plugins.problems] == [
        "leaves out 'cobbler', whose part nothing else does"
    ]


def test_two_of_one_name_and_one_named_like_a_built_in(site: Site, load: Loader) -> None:
    site.good()
    site.add("twice", "", distribution="a-dist")
    site.add("twice", "", distribution="b-dist", module="other_plugin")
    site.add("storage", "")
    plugins = load()
    words = {problem.where: problem.what for problem in plugins.problems}
    assert words == {
        "plugin twice (b-dist 1.0)": "has the name of the plugin of a-dist 1.0",
        "plugin storage (storage-dist 1.0)": "has the name of a built-in plugin",
    }
    assert plugins.names()[-2:] == ("good", "twice")
    assert "storage" in plugins.names()
