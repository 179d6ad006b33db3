"""What plugins from outside cost: a plan with 0, 10 and 100 of them, and a call of a hook either way."""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pluggy

from bench.measure import Report, Row, pairs, quietly
from node.demo.machines import machine
from node.hookspecs import PROJECT, Hooks, hookimpl
from node.model.inventory import Inventory
from node.plugin_manager import Plugins

_AIM_S = 0.3
_CALLS = 300
_SMALL = """
from node.hookspecs import hookimpl

@hookimpl
def node_validate(answers, inventory):
    return []

@hookimpl
def node_kernel_args(answers, inventory):
    return []

@hookimpl
def node_probe(inventory):
    return {"disks": len(inventory.disks)}
"""
# As plugins were loaded before there was a host.
_INSIDE = """
import node.plugin_manager as manager
from functools import partial
from importlib import import_module
from node.cli.main import main

load = manager.Plugins.load

def load_inside(self, **options):
    load(self, **options)
    for number in range({count}):
        self.add(f"bench{{number:03}}", partial(import_module, f"bench{{number:03}}"))

manager.Plugins.load = load_inside
main()
"""
_SECTION = """
from dataclasses import dataclass
from typing import ClassVar
from node.hookspecs import hookimpl
from node.model.answers import Section, SectionModel
from node.model.step import PlannedStep, Step

class Mine(SectionModel):
    key: ClassVar[str] = "NAME"
    level: int = 3
    words: tuple[str, ...] = ()

@dataclass(frozen=True)
class DoNAME(Step):
    level: int
    def summary(self):
        return "Do NAME"

@hookimpl
def node_sections():
    return [Section(Mine, "NAME")]

@hookimpl
def node_plan(answers, inventory, target):
    return [PlannedStep("vendor", DoNAME(answers[Mine].level))]
"""


def measure() -> Report:
    """Time whole plans in turn with one that has no plugin, and single calls."""
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as folder:
        for count in (0, 1, 10, 100):
            rows.append(
                _plan(Path(folder) / f"small{count}", count, _SMALL, "small plugins", aim=count == 100)
            )
        rows.append(_against_in_process(Path(folder) / "sections", 100))
        rows += _calls(Path(folder) / "one")
    notes = (
        "Whole runs of `nodectl plan`, each in turn with one that NODECRUST_PLUGINS keeps from loading any, "
        f"or that loads the same ones in process; then the median of {_CALLS} calls of one hook. All plugins "
        "from outside share one host process."
    )
    return Report("Plugins from outside", "make bench ONLY=plugins", notes, tuple(rows))


def _plan(folder: Path, count: int, code: str, what: str, *, aim: bool = False) -> Row:
    _make(folder, count, code)
    nodectl = "from node.cli.main import main; main()"
    machines = Path("node/demo/machines/vm-virtio-blank.json")
    argv = [sys.executable, "-c", nodectl, "plan", "--answers", "tests/data/minimal-answers.yaml"]
    argv += ["--inventory", str(machines)]
    path = os.pathsep.join([str(folder), str(Path.cwd())])
    ours, without, ratio = pairs(
        partial(quietly, ["env", f"PYTHONPATH={path}", *argv]),
        partial(quietly, ["env", f"PYTHONPATH={path}", "NODECRUST_PLUGINS=", *argv]),
        runs=7,
    )
    more = ours - without
    return Row(
        f"plan with {count} {what}",
        f"{ours:.2f} s",
        f"without {without:.2f} s",
        f"{ratio:.2f}x, {more * 1000:+.0f} ms",
        f"{_AIM_S * 1000:.0f} ms more" if aim else "",
        more <= _AIM_S if aim else None,
    )


def _against_in_process(folder: Path, count: int) -> Row:
    _make(folder, count, _SECTION)
    machines = Path("node/demo/machines/vm-virtio-blank.json")
    words = ["plan", "--answers", "tests/data/minimal-answers.yaml", "--inventory", str(machines)]
    path = os.pathsep.join([str(folder), str(Path.cwd())])
    host = [sys.executable, "-c", "from node.cli.main import main; main()", *words]
    inside = [sys.executable, "-c", _INSIDE.format(count=count), *words]
    ours, other, ratio = pairs(
        partial(quietly, ["env", f"PYTHONPATH={path}", *host]),
        partial(quietly, ["env", f"PYTHONPATH={path}", "NODECRUST_PLUGINS=", *inside]),
    )
    what = f"plan with {count} plugins with a section and a step each"
    more = f"{ratio:.2f}x, {(ours - other) * 1000:+.0f} ms"
    return Row(what, f"{ours:.2f} s", f"in process {other:.2f} s", more, "")


def _calls(folder: Path) -> list[Row]:
    _make(folder, 1, _SMALL)
    sys.path.insert(0, str(folder))
    plugins = Plugins()
    try:
        plugins.load()
        plugins.add("inside", lambda: _Inside)
        inventory = machine("server-sata-data")
        manager = pluggy.PluginManager(PROJECT)
        manager.add_hookspecs(Hooks)
        manager.register(_Inside)

        def ask(name: str) -> None:
            (_,) = plugins.call("node_probe", only=name, inventory=inventory)

        plain = _median(lambda: manager.hook.node_probe(inventory=inventory))
        inside = _median(partial(ask, "inside"))
        outside = _median(partial(ask, "bench000"))
    finally:
        plugins.close()
        sys.path.remove(str(folder))
    plain_words = f"pluggy {plain * 1e6:.1f} us"
    return [
        Row(
            "a hook in process, one plugin",
            f"{inside * 1e6:.1f} us",
            plain_words,
            f"{inside / plain:.1f}x",
            "",
        ),
        Row("a hook in the host", f"{outside * 1e6:.0f} us", plain_words, f"{outside / plain:.0f}x", ""),
    ]


class _Inside:
    @staticmethod
    @hookimpl
    def node_probe(inventory: Inventory) -> dict[str, int]:
        return {"disks": len(inventory.disks)}


def _median(work: Callable[[], object]) -> float:
    work()
    times = []
    for _ in range(_CALLS):
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    return statistics.median(times)


def _make(folder: Path, count: int, code: str) -> None:
    folder.mkdir()
    for number in range(count):
        name = f"bench{number:03}"
        (folder / f"{name}.py").write_text(code.replace("NAME", name))
        info = folder / f"{name}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\nKeywords: nodecrust-api=1\n\n"
        )
        (info / "entry_points.txt").write_text(f"[nodecrust]\n{name} = {name}\n")
