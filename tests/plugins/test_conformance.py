"""Plugins that break one rule each are found out by `nodectl plugins check`, and told in words."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest
from click.testing import CliRunner

from node.cli.plugins_check import command
from node.errors import InputError
from node.model.health import HealthCheck, Outcome
from node.model.inventory import Firmware
from node.testing.conformance import check_plugin, find_candidate
from node.testing.inventories import build_inventory
from node.testing.skeleton import FILES, skeleton, write_skeleton

HEAD = """
from dataclasses import dataclass
import os, subprocess, sys
from node.errors import NodeError
from node.hookspecs import hookimpl
from node.model.answers import Section, SectionModel
from node.model.step import PlannedStep, Step

@dataclass(frozen=True)
class Work(Step):
    word: str = "x"
    def summary(self):
        return "Work"
    def apply(self, system):
        system.commands.run(["work"])

def planned(step):
    return (PlannedStep("vendor", step),)
"""
# What is wrong, the check that finds it, words of what it says.
BAD = {
    "writes at import": ("open('/tmp/vk-never-written', 'w')", "loads", "opened for writing"),
    "exits at import": ("sys.exit(3)", "loads", "SystemExit"),
    "dies at import": ("os.abort()", "load", "died by SIGABRT in import"),
    "a misspelt hook": (
        "@hookimpl\ndef node_plann(): pass",
        "loads",
        "node_plann is no hook; did you mean node_plan?",
    ),
    "a hook without its mark": ("def node_plan(): pass", "loads", "not marked"),
    "an argument that is not there": ("@hookimpl\ndef node_plan(disks): pass", "loads", "'disks'"),
    "no description": (
        "class M(SectionModel):\n    key = 'm'\n    a: int = 1\n"
        "@hookimpl\ndef node_sections(): return (Section(M, 'M', 'help'),)",
        "documentation",
        "m.a has no description",
    ),
    "a secret that is shown": (
        "class M(SectionModel):\n    key = 'm'\n    password: str = ''\n"
        "@hookimpl\ndef node_sections(): return (Section(M, 'M', 'help'),)",
        "schema",
        "looks like a secret",
    ),
    "a section of another plugin": (
        "class M(SectionModel):\n    key = 'storage'\n"
        "@hookimpl\ndef node_sections(): return (Section(M, 'M', 'help'),)",
        "schema",
        "is another plugin's",
    ),
    "a process while planning": (
        "@hookimpl\ndef node_plan():\n    try:\n        subprocess.run(['true'])\n"
        "    except BaseException: pass",
        "planning is pure",
        "reached for the machine: subprocess.Popen",
    ),
    "another plan each time": (
        "N = []\n@hookimpl\ndef node_plan():\n    N.append(1)\n    return planned(Work(str(len(N))))",
        "planning is pure",
        "differ",
    ),
    "a phase that there is not": (
        "@hookimpl\ndef node_plan(): return (PlannedStep('vendr', Work()),)",
        "planning is pure",
        "The phases are: check, release, partition",
    ),
    "an argument that is changed": (
        "@hookimpl\ndef node_validate(inventory):\n    inventory.facts['x'] = 1",
        "planning is pure",
        "changed what it was given",
    ),
    "a step past system": (
        "class Past(Work):\n    def apply(self, system): os.system('true')\n"
        "@hookimpl\ndef node_plan(): return planned(Past())",
        "steps",
        "went past `system`",
    ),
    "a step that raises anything": (
        "class Raising(Work):\n    def apply(self, system): {}['a']\n"
        "@hookimpl\ndef node_plan(): return planned(Raising())",
        "steps",
        "KeyError, no NodeError",
    ),
    "an undo that fails half way": (
        "class Half(Work):\n    def undo(self, system): assert system.calls\n"
        "@hookimpl\ndef node_plan(): return planned(Half())",
        "undo",
        "undo after 0 calls",
    ),
    "a step that can't be done again": (
        "class Once(Work):\n    def apply(self, system):\n"
        "        from pathlib import Path\n"
        "        if system.files.exists(Path('/x')): raise NodeError('there is one')\n"
        "        system.files.write(Path('/x'), b'')\n        system.commands.run(['work'])\n"
        "@hookimpl\ndef node_plan(): return planned(Once())",
        "kill -9",
        "can't be done again once it was killed after 1 calls",
    ),
    "a file of the image": (
        "from node.model.state import RenderedFile\n"
        "@hookimpl\ndef node_render(): return (RenderedFile('/usr/bin/env', 'x'),)",
        "boot",
        "/usr/bin/env",
    ),
    "facts that are no data": (
        "@hookimpl\ndef node_probe(): return {'a': object()}",
        "running node",
        "JSON can't hold",
    ),
}


STAGES = {
    "load": "load", "loads": "load", "documentation": "schema", "schema": "schema",
    "planning is pure": "planning", "steps": "steps", "undo": "undo", "kill -9": "kill",
    "boot": "boot", "running node": "running",
}  # fmt: skip


def findings(folder: Path, code: str, check: str) -> list[HealthCheck]:
    (folder / "bad_plugin.py").write_text(HEAD + textwrap.dedent(code))
    (folder / "README.md").write_text("bad")
    (folder / "pyproject.toml").write_text(
        '[project]\nname = "bad"\nversion = "1"\nreadme = "README.md"\nkeywords = ["nodecrust-api=1"]\n'
        '[project.entry-points.nodecrust]\nbad = "bad_plugin"\n'
    )
    stages = (
        ("load", "planning", STAGES[check]) if check in ("steps", "undo", "kill -9") else (STAGES[check],)
    )
    candidate = find_candidate(str(folder))
    return list(check_plugin(candidate, stages=stages, recorded=("vm-virtio-blank",)))


@pytest.mark.parametrize("what", BAD)
def test_what_is_wrong_is_found(what: str, tmp_path: Path) -> None:
    code, check, words = BAD[what]
    found = findings(tmp_path, code, check)
    failed = [one for one in found if one.outcome is Outcome.FAILED]
    assert [one for one in failed if one.name == check and words in one.words], found
    assert not Path("/tmp/vk-never-written").exists()


REFUSES = """
from node.model.problem import Problem
class M(SectionModel):
    key = 'm'
    mine: bool = False
@hookimpl
def node_sections(): return (Section(M, 'M', 'help'),)
@hookimpl
def node_validate(answers, inventory):
    if answers[M].mine and inventory.firmware.vendor != 'Acme':
        yield Problem('foreign', 'm.mine', 'is for machines of Acme', 'Take it out')
@hookimpl
def node_plan(answers):
    return planned(Work()) if answers[M].mine else ()
"""


def test_answers_that_no_machine_of_ours_takes_are_told_with_their_problem(
    tmp_path: Path,
) -> None:
    findings(tmp_path, REFUSES, "loads")
    candidate = find_candidate(str(tmp_path))
    asked = {"answers": ["m:\n  mine: true\n"], "recorded": ("vm-virtio-blank",)}
    stages = ("load", "planning", "steps")
    found = list(check_plugin(candidate, stages=stages, **asked))  # type: ignore[arg-type]
    words = "the answers are refused on every machine: m.mine: is for machines of Acme. Take it out; "
    assert [one.name for one in found if words in one.words and "--inventory FILE" in one.words] == [
        "answers",
        "steps",
    ]
    full = build_inventory(firmware=Firmware(vendor="Acme")).to_json()
    found = list(check_plugin(candidate, stages=stages, machines=[full], **asked))  # type: ignore[arg-type]
    assert any("those of --inventory too: storage" in one.words for one in found), found
    acme = build_inventory("vm-virtio-blank", firmware=Firmware(vendor="Acme")).to_json()
    found = list(check_plugin(candidate, stages=stages, machines=[acme], **asked))  # type: ignore[arg-type]
    assert {one.outcome for one in found} == {Outcome.PASSED}


def test_the_last_line_counts_what_was_skipped(tmp_path: Path) -> None:
    findings(tmp_path, "@hookimpl\ndef node_probe(): return {}", "loads")
    done = CliRunner().invoke(command, [str(tmp_path)], standalone_mode=False)
    assert done.output.endswith("bad 1: all is well; 6 checks were skipped\n"), done.output


def test_an_undo_that_takes_an_earlier_nodes_file_is_told(tmp_path: Path) -> None:
    code = (
        "class Takes(Work):\n"
        "    def apply(self, system): system.files.write(system.root / 'config/x', b'')\n"
        "    def undo(self, system): system.files.remove(system.root / 'config/x')\n"
        "@hookimpl\ndef node_plan(): return planned(Takes())"
    )
    found = findings(tmp_path, code, "undo")
    (told,) = [one for one in found if one.outcome is Outcome.DEGRADED]
    assert told.words == "Takes: undo does not put back config/x of an earlier node (storage.keep)"


def test_one_that_hangs_is_ended(tmp_path: Path) -> None:
    (tmp_path / "bad_plugin.py").write_text("while True: pass")
    (tmp_path / "pyproject.toml").write_text(
        '[project]\nname = "bad"\n[project.entry-points.nodecrust]\nbad = "bad_plugin"\n'
    )
    found = list(check_plugin(find_candidate(str(tmp_path)), limit_s=15))
    assert found[-1].words.startswith("it took longer than 15 s and was ended in import bad_plugin")
    assert any("keywords" in one.words for one in found)


def test_what_is_no_plugin_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no distribution"):
        find_candidate("no-such-distribution")
    with pytest.raises(InputError) as caught:
        find_candidate("dist/acme-1-py3-none-any.whl")
    assert caught.value.mend.startswith("Install the wheel first (pip install dist/acme-1-py3-none-any.whl)")
    with pytest.raises(InputError, match="no entry point"):
        find_candidate("pytest")
    (tmp_path / "pyproject.toml").write_text("[project")
    with pytest.raises(InputError, match=r"pyproject\.toml"):
        find_candidate(str(tmp_path))


def test_a_skeleton_is_for_a_name_that_can_be_one(tmp_path: Path) -> None:
    for name in ("", "Big", "a_b", "a--b", "1a", "class", "node", "a" * 50, "../x"):
        with pytest.raises(InputError):
            skeleton(name)
    with pytest.raises(InputError, match="'network' is the name of a built-in plugin"):
        skeleton("network")
    assert len(write_skeleton("one-two", tmp_path / "here")) == len(FILES)
    with pytest.raises(InputError, match="is not empty"):
        write_skeleton("one-two", tmp_path / "here")
