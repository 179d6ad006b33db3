"""The store through long lives: writes, power cuts, full disks, damage and going back, in any order."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from node.model.state import State
from node.persist.store import (
    STATE_FILE,
    StateNotWrittenError,
    history,
    read_state,
    read_version,
    write_state,
)
from node.system.files import LiveFiles
from tests.unit.persist.power_cut import Disk, RecordedCalls, put_back, tree_of

AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


class Store(RuleBasedStateMachine):
    """`allowed` is what may be in force; more than one only between a power cut and the next look."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="store-"))
        self.allowed: list[State | None] = [None]
        self.written = 0

    def teardown(self) -> None:
        shutil.rmtree(self.folder)

    def next_state(self) -> State:
        self.written += 1
        return State(sections={"network": {"hostname": f"node{self.written}"}})

    def write(self, state: State, calls: RecordedCalls | None = None) -> None:
        files = LiveFiles(calls or RecordedCalls())
        write_state(self.folder, state, reason=f"write {self.written}", at=AT, files=files)

    @initialize()
    def first(self) -> None:
        self.change()

    @rule()
    def change(self) -> None:
        state = self.next_state()
        self.write(state)
        self.allowed = [state]

    @rule(data=st.data())
    def change_and_lose_power(self, data: st.DataObject) -> None:
        before, calls, state = tree_of(self.folder), RecordedCalls(), self.next_state()
        self.write(state, calls)
        disk = Disk(before)
        for call in calls.made[: data.draw(st.integers(0, len(calls.made)), label="calls")]:
            disk.make(call)
        put_back(self.folder, data.draw(st.sampled_from(list(disk.after_a_cut())), label="what is left"))
        self.allowed = [*self.allowed, state]

    @rule(place=st.integers(0, 40))
    def change_on_a_full_disk(self, place: int) -> None:
        state = self.next_state()
        with contextlib.suppress(StateNotWrittenError):
            self.write(state, RecordedCalls(lambda asked, _: asked == place))
            self.allowed = [state]

    @rule(data=st.data())
    @precondition(lambda self: history(self.folder))
    def go_back(self, data: st.DataObject) -> None:
        version = data.draw(st.sampled_from([each.number for each in history(self.folder)]))
        state = read_version(self.folder, version)
        self.write(state)
        self.allowed = [state]

    @rule(contents=st.binary(max_size=30))
    @precondition(lambda self: any(version.current for version in history(self.folder)))
    def damage(self, contents: bytes) -> None:
        (self.folder / STATE_FILE).write_bytes(b"\0" + contents)
        newest = history(self.folder)[0]
        self.allowed = [read_version(self.folder, newest.number)]

    @rule(state=st.fixed_dictionaries({"hostname": st.text("abc", min_size=1)}))
    def edit_by_hand(self, state: dict[str, Any]) -> None:
        (self.folder / STATE_FILE).write_text(f"version: 1\nsections: {{network: {state}}}\n")
        self.allowed = [State(sections={"network": state})]

    @invariant()
    def what_is_in_force_is_what_was_written(self) -> None:
        stored = read_state(self.folder)
        found = stored.state if stored else None
        assert found in self.allowed
        self.allowed = [found]

    @invariant()
    def the_history_is_short_and_whole(self) -> None:
        versions = history(self.folder)
        # More than ten only where the power went before the oldest was removed: one that was adopted, the new
        # one, and one by hand since.
        assert len(versions) <= 13
        assert not any(version.broken for version in versions)


TestStore = Store.TestCase
# Shrinking such a life takes longer than reading it.
TestStore.settings = settings(
    max_examples=max(settings.default.max_examples // 4, 1),
    stateful_step_count=20,
    phases=[phase for phase in Phase if phase not in (Phase.shrink, Phase.explain)],
)
