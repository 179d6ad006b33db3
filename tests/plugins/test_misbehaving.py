"""Whatever a plugin does, it is named, and the rest goes on: one by one, and all at once."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import Any

import pytest

from node.boot.rendering import render
from node.cli import plugins_list
from node.demo.system import DemoSystem
from node.installer.contributions import PluginTalk
from node.installer.engine import run_plan
from node.installer.flow import Look, look
from node.installer.tui.session import Session
from node.model.answers import Layer
from node.model.event import Event, EventKind
from node.model.inventory import Inventory
from node.model.origin import Precedence
from node.model.problem import Severity
from node.model.state import State
from node.model.system import System
from node.plugin_manager import Plugins
from node.testing.machines import machine
from tests.plugins.conftest import Loader
from tests.plugins.misbehaving import BAD, Bad
from tests.plugins.site import Site

BLANK = machine("vm-virtio-blank")
ANSWERS = {
    "install": {"mode": "unattended"},
    "network": {"hostname": "node1"},
    "access": {
        "admin": {
            "ssh_keys": ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f y"]
        }
    },
    "good": {"level": 5},
}


def planned(talk: PluginTalk, inventory: Inventory = BLANK, **sections: object) -> Look:
    return look(talk, [Layer(Precedence.FILE, {**ANSWERS, **sections})], inventory, for_show=True)


def system(progress: Any, say: Any) -> System:
    made: System = DemoSystem(BLANK, progress, say, seconds=0.0)
    return made


def stays_good(plugins: Plugins) -> None:
    """What the good one does is done, and what the built-ins do."""
    talk = PluginTalk(plugins)
    seen = planned(talk)
    assert not seen.plan.refused, [str(one) for one in seen.plan.problems]
    summaries = [one.step.summary() for one in seen.plan.steps]
    assert "Be good at level 5 ()" in summaries
    assert any(words.startswith("Clear and partition /dev/vda") for words in summaries)
    rendering = render(plugins, State(sections={"good": {"level": 5}}))
    assert "/etc/good.conf" in [file.path for file in rendering.files]
    assert rendering.by_plugin["network"]
    pages = [page.key for page in Session(talk, BLANK, [Layer(Precedence.FILE, ANSWERS)]).pages]
    assert {"good", "network", "welcome"} <= set(pages)


@pytest.mark.parametrize("bad", BAD, ids=[bad.name for bad in BAD])
def test_one_is_named_and_the_rest_goes_on(bad: Bad, site: Site, load: Loader) -> None:
    site.good()
    # Asked before the good one, and of a name that comes later too: both sides of it are looked at.
    site.add(bad.name, bad.code, keywords=bad.keywords)
    plugins = load()
    stays_good(plugins)
    stays_good(plugins)
    record = plugins.record(bad.name)
    assert record is not None
    assert record.state == bad.state, record
    found = [problem for problem in plugins.problems if problem.owner == bad.name]
    assert any(re.search(bad.words, problem.what) for problem in found), [str(one) for one in found]
    assert {problem.where for problem in found} == {f"plugin {bad.name} ({bad.name}-dist 1.0)"}
    assert {problem.severity for problem in found} == {Severity.WARNING}
    assert all(problem.what.isprintable() for problem in found)
    good = [problem for problem in plugins.problems if problem.owner == "good"]
    assert not good, [str(one) for one in good]
    assert bad.name.replace("-", "_") + "_plugin" not in sys.modules


def test_all_at_once(site: Site, load: Loader, tmp_path: Path) -> None:
    site.good()
    for bad in BAD:
        site.add(bad.name, bad.code, keywords=bad.keywords)
    plugins = load()
    stays_good(plugins)
    for bad in BAD:
        found = [problem for problem in plugins.problems if problem.owner == bad.name]
        assert any(re.search(bad.words, problem.what) for problem in found), (
            bad.name,
            [str(one) for one in found],
        )
    assert {problem.owner for problem in plugins.problems} == {bad.name for bad in BAD}
    lines = plugins_list.lines(plugins.records(), tuple(plugins.problems))
    assert max(map(len, lines)) <= 80
    assert all(line.isprintable() for line in lines)
    seen = planned(PluginTalk(plugins))
    events: list[Event] = []
    run_plan(seen.plan, system_factory=system, observers=[events.append], journal=tmp_path / "journal")
    assert events[-1].kind is EventKind.RUN_DONE
    assert not {bad.name for bad in BAD} & {event.owner for event in events}


@pytest.mark.parametrize(
    "name",
    ["hang-import", "hang-plan", "raises", "crashes", "misspelt", "of-tomorrow", "double-step", "not-there"],
)
def test_a_required_one_stops_the_plan_by_its_name(name: str, site: Site, load: Loader) -> None:
    bad = next(one for one in BAD if one.name == name)
    site.good()
    site.add(bad.name, bad.code, keywords=bad.keywords)
    seen = planned(load.talk(), plugins={"required": [name]})
    assert seen.plan.refused
    assert seen.plan.steps == ()
    stopping = [one for one in seen.plan.problems if one.severity is Severity.ERROR]
    assert {one.owner for one in stopping} == {name}
    assert re.search(bad.words, stopping[0].what)


def test_one_that_is_required_and_not_there_is_named(site: Site, load: Loader) -> None:
    site.good()
    seen = planned(load.talk(), plugins={"required": ["good", "acme-raid"]})
    (problem,) = [one for one in seen.plan.problems if one.severity is Severity.ERROR]
    assert (problem.code, problem.where) == ("plugin-required", "plugins.required")
    assert "acme-raid is required and not there; this image has none of that name" in problem.what
    assert problem.mend == "Add it to the image, or don't require it"
    seen = planned(load.talk(), plugins={"required": ["goood"]})
    (problem,) = [one for one in seen.plan.problems if one.severity is Severity.ERROR]
    assert problem.mend == "Did you mean good?"


def test_what_kills_its_parent_is_put_up_with(site: Site, load: Loader) -> None:
    site.good()
    site.add(
        "kills",
        "@hookimpl\ndef node_validate(): os.kill(os.getppid() or 1, signal.SIGKILL); time.sleep(0.3)",
    )
    plugins = load()
    stays_good(plugins)
    assert os.getpid() > 1


def test_where_its_parent_can_be_killed_the_host_comes_back(
    site: Site, load: Loader, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As for a user who mayn't make a number space of processes.
    monkeypatch.setattr("node.plugin_host.zygote._unshare_pids", lambda: None)
    site.good()
    site.add(
        "kills",
        "@hookimpl\ndef node_validate():\n    os.kill(os.getppid(), signal.SIGKILL)\n    time.sleep(600)",
    )
    plugins = load()
    stays_good(plugins)
    (problem,) = plugins.problems
    assert problem.what == "killed the plugin host in node_validate"


@pytest.mark.parametrize("apart", [True, False], ids=["own number space", "reaper alone"])
def test_what_it_starts_ends_with_it(
    apart: bool, site: Site, load: Loader, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not apart:
        monkeypatch.setattr("node.plugin_host.zygote._unshare_pids", lambda: None)
    mark = tmp_path / "alive"
    site.good()
    site.add(
        "leaves",
        f"""
        @hookimpl
        def node_validate():
            if os.fork() == 0:
                os.setsid()
                if os.fork() == 0:
                    os.setsid()
                    file = open({str(mark)!r}, "w")
                    fcntl.flock(file, fcntl.LOCK_EX)
                    time.sleep(600)
                os._exit(0)
            while not os.path.exists({str(mark)!r}): time.sleep(0.01)
            time.sleep(600)
        """,
    )
    plugins = load()
    stays_good(plugins)
    import fcntl

    with mark.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
