"""How a node is read: what plugins ask for may take its time, and fails by name."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from node.console import live
from node.errors import CommandFailedError
from node.hookspecs import StatusLine
from node.model.problem import Problem
from node.model.status import Interface, NodeStatus, Root, RunningImage

WELL = NodeStatus(
    hostname="node1",
    image=RunningImage("node", "1", "slot"),
    interfaces=(Interface("ens3", addresses=("192.0.2.1/24",)),),
    root=Root("overlay", "squashfs", True),
)


class FakePlugins:
    def __init__(self) -> None:
        self.problems: list[Problem] = [Problem("old", "plugin old", "failed before", "")]
        self.gate = threading.Event()
        self.asked = 0
        self.rests = 0

    def rest(self) -> None:
        self.rests += 1

    def call(self, hook: str, **_arguments: Any) -> Iterator[Any]:
        if hook != "node_status_panels":
            return
        self.asked += 1
        self.gate.wait(30)
        self.problems.append(Problem("plugin-failed", "plugin bad", "failed in node_status_panels", ""))
        yield SimpleNamespace(value=(StatusLine("raid", "one disk is gone", healthy=False), "nonsense"))
        yield SimpleNamespace(value=None)


@pytest.fixture
def plugins(monkeypatch: pytest.MonkeyPatch) -> FakePlugins:
    monkeypatch.setattr(live, "read_status", lambda _commands: WELL)
    monkeypatch.setattr(live, "quick_inventory", lambda _commands: None)
    monkeypatch.setattr(live, "_SOON_S", 0.01)
    return FakePlugins()


def failing(*_args: Any, **_options: Any) -> Any:
    raise CommandFailedError("journalctl failed", argv=["journalctl"], status=1)


def test_panels_that_take_long_hold_nothing_up(plugins: FakePlugins) -> None:
    reader = live.Reader(plugins, SimpleNamespace(run=failing))  # type: ignore[arg-type]
    first = reader.overview()
    assert (first.status, first.panels, first.faults, first.events) == (WELL, (), (), ())
    reader.overview()
    plugins.gate.set()
    assert reader._thread
    reader._thread.join(30)
    seen = reader.overview()
    assert plugins.asked == 1
    assert plugins.rests == 1
    assert seen.panels == (StatusLine("raid", "one disk is gone", healthy=False),)
    # Both what a plugin finds and a plugin that failed count; what failed before was somebody else's.
    assert seen.faults == ("plugin bad: failed in node_status_panels", "raid: one disk is gone")


def test_a_state_has_another_stamp_after_each_write(tmp_path: Path) -> None:
    state = tmp_path / "node.yaml"
    assert live._stamp(state) is None
    state.write_text("a")
    first = live._stamp(state)
    assert first == live._stamp(state)
    (tmp_path / "new").write_text("b")
    (tmp_path / "new").replace(state)
    assert live._stamp(state) != first


def test_the_journal_is_asked_for_so_many_lines() -> None:
    asked: list[list[str]] = []

    def run(argv: list[str], **_options: Any) -> Any:
        asked.append(argv)
        return SimpleNamespace(output="one\ntwo\n")

    assert live.journal(SimpleNamespace(run=run), "--priority=warning", lines=2) == ["one", "two"]  # type: ignore[arg-type]
    assert "--lines=2" in asked[0]
    assert "--priority=warning" in asked[0]
