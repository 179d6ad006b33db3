"""A round of registration: who is visited when, what a failure of one does to others, what is kept."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from node.agent.facts import facts_of
from node.agent.happenings import KEPT, Happenings, Seen, looked, read_happenings, told, write_happenings
from node.agent.registration import Named, Post, make_round
from node.agent.standings import Due, next_due
from node.errors import NodeError, TryAgainError
from node.model.inventory import Inventory, Nic
from node.model.registration import Around, Report, Standing
from node.model.state import State
from node.model.status import Installed, NodeStatus, RunningImage
from node.persist.forgetting import forget_in_history
from node.persist.store import Version, history, read_version, write_state
from node.system.files import LiveFiles
from node.testing.fake_system import FakeSystem
from tests.unit.agent.desk import NOW, Node

WELL = Report(Standing.ACTIVE, "well", next_s=60.0)


@dataclass(frozen=True)
class Backend:
    name: str
    act: Callable[[], Report] = field(repr=False)

    def visit(self, around: Around) -> Report:
        del around
        return self.act()

    def reaches(self, around: Around) -> bool:
        return True

    def settle(self, *_: Any) -> None:
        return


def failing(error: BaseException) -> Callable[[], Report]:
    def act() -> Report:
        raise error

    return act


def post(node: Node, *backends: Backend, at: float = 100.0) -> Post:
    named = [Named(f"plugin-of-{each.name}", each) for each in backends]

    def around(backend: Any, state: State) -> Around:
        folder = node.config / backend.name
        return Around(state, Inventory(), folder, FakeSystem().commands, LiveFiles(), dict)

    return Post(node.desk, node.config, lambda _: named, around, lambda _: {}, lambda: at)


def installed(tmp_path: Path) -> Node:
    node = Node(tmp_path)
    node.install(hostname="node1")
    return node


@pytest.mark.parametrize(
    ("error", "standing", "words"),
    [
        (TryAgainError("it is away", mend="Wait"), "waiting", "it is away"),
        (NodeError("it says no", details="why"), "refused", "it says no; why"),
        (ZeroDivisionError("secret"), "refused", "plugin plugin-of-bad failed: ZeroDivisionError"),
        (SystemExit(3), "refused", "plugin plugin-of-bad failed: SystemExit"),
    ],
)
def test_one_that_fails_is_named_and_no_other_suffers(
    tmp_path: Path, error: BaseException, standing: str, words: str
) -> None:
    done = make_round(
        post(installed(tmp_path), Backend("bad", failing(error)), Backend("good", lambda: WELL))
    )
    assert done.standings["bad"]["standing"] == standing
    assert done.standings["bad"]["words"] == words
    assert done.standings["good"]["words"] == "well"


def test_one_that_hangs_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("node.agent.registration.VISIT_S", 0.1)

    def hang() -> Report:
        time.sleep(30)
        return WELL

    done = make_round(post(installed(tmp_path), Backend("slow", hang), Backend("good", lambda: WELL)))
    assert "took too long" in done.standings["slow"]["words"]
    assert done.standings["good"]["standing"] == "active"


def test_nobody_is_asked_before_his_time(tmp_path: Path) -> None:
    node, asked = installed(tmp_path), []

    def act() -> Report:
        asked.append(1)
        return WELL

    make_round(post(node, Backend("one", act)))
    again = make_round(post(node, Backend("one", act), at=110.0))
    assert len(asked) == 1
    assert again.standings["one"]["words"] == "well"
    assert again.next_s is not None
    assert 30 < again.next_s < 70
    make_round(post(node, Backend("one", act), at=110.0), all_now=True)
    make_round(post(node, Backend("one", act), at=400.0))
    assert len(asked) == 3


def test_what_is_left_for_everybody_holds_no_settings(tmp_path: Path) -> None:
    node = installed(tmp_path)
    make_round(post(node, Backend("one", lambda: WELL)))
    public, due = node.places.run / "registration.json", node.places.run / "registration-due.json"
    assert public.stat().st_mode & 0o777 == 0o644
    assert due.stat().st_mode & 0o777 == 0o600
    assert json.loads(public.read_text())["backends"]["one"]["plugin"] == "plugin-of-one"


def test_each_failure_waits_longer_up_to_a_bound() -> None:
    backend = Backend("one", lambda: WELL)
    due, waits = Due(), []
    for _ in range(12):
        due = next_due(backend, due, Report(Standing.WAITING, "away"), 0.0)
        assert due.at_s is not None
        waits.append(due.at_s)
    for number, wait in enumerate(waits):
        middle = min(10.0 * 2**number, 900.0)
        assert middle * 0.75 <= wait <= middle * 1.25
    assert next_due(backend, due, WELL, 0.0).failures == 0
    assert next_due(backend, due, Report(Standing.DONE, "done"), 0.0).at_s is None
    refused = next_due(backend, Due(), Report(Standing.REFUSED, "no"), 0.0)
    assert refused.at_s is not None
    assert refused.at_s >= 45


def status(**more: Any) -> NodeStatus:
    image = RunningImage("node", "1.0", "slot", "", "A")
    return NodeStatus(image=image, installed=Installed("one", "2026-11-01T00:00:00Z"), uptime_s=60.0, **more)


def test_what_happened_is_found_once_and_numbered_for_good(tmp_path: Path) -> None:
    versions = [Version(4, NOW, "config set network.dns, by admin")]
    first = looked(Happenings(), status(failed_units=("ssh.service",)), versions, boot_id="a", now=NOW)
    kinds = [each.kind for each in first.kept]
    assert kinds[:2] == ["installed", "started"]
    assert "fault" in kinds
    assert looked(first, status(failed_units=("ssh.service",)), versions, boot_id="a", now=NOW) == first
    later = looked(first, status(), [*versions, Version(5, NOW, "config rollback")], boot_id="b", now=NOW)
    news = [(each.kind, each.words) for each in later.kept[len(first.kept) :]]
    assert ("started", "started node 1.0 from slot A") in news
    assert ("configuration", "version 5: config rollback") in news
    assert ("mended", "ssh.service failed") in news
    assert [each.number for each in later.kept] == list(range(1, later.number + 1))
    write_happenings(tmp_path, LiveFiles(), later)
    assert read_happenings(tmp_path, LiveFiles()) == later
    # What all have heard goes; the numbers go on.
    rest = told(later, [3, later.number])
    assert [each.number for each in rest.kept] == list(range(4, later.number + 1))
    assert told(later, []) == later


def test_a_server_that_is_away_for_long_costs_no_more_than_so_many() -> None:
    found = Happenings(0, Seen("a", (), 0, "one"))
    for number in range(KEPT + 20):
        versions = [Version(number + 1, NOW, f"{number}")]
        found = looked(found, status(), versions, boot_id="a", now=NOW)
    assert len(found.kept) <= KEPT
    assert found.kept[-1].words == f"version {KEPT + 20}: {KEPT + 19}"


def test_a_used_secret_leaves_the_history_and_nothing_else_does(tmp_path: Path) -> None:
    for token, name in (("nct_12345678", "a"), ("12345678", "b"), ("", "c")):
        sections = {"registration": {"token": token}, "network": {"hostname": name}}
        write_state(tmp_path, State(sections=sections), reason=f"set {name}", at=NOW)
    forget_in_history(tmp_path, ["nct_12345678", "12345678"])
    assert "12345678" not in "".join(path.read_text() for path in tmp_path.rglob("*.yaml"))
    assert [version.broken for version in history(tmp_path)] == ["", "", ""]
    states = [read_version(tmp_path, number) for number in (1, 2)]
    assert [state.sections["registration"] for state in states] == [{"token": ""}] * 2
    assert [state.sections["network"]["hostname"] for state in states] == ["a", "b"]


def test_facts_hold_all_that_the_old_protocol_told() -> None:
    flags = ["fpu", "vmx", "x" * 200]
    told = {"number": 0, "core": 0, "cores": 2, "vendor": "V", "model": 1, "family": 6}
    processor = {**told, "cpuid_level": 13, "speed_mhz": 3000, "cache_kib": 8192, "flags": flags}
    nic = Nic(
        "eno1", "52:54:00:00:00:01", link=True, speed_mbps=1000, addresses=("192.0.2.7/24", "2001:db8::1/64")
    )
    inventory = Inventory(nics=(nic,), memory=1 << 30)
    other = {**processor, "number": 1, "flags": [*flags, "odd"]}
    facts = facts_of(
        inventory, status(), [processor, other], {"good": {"a": 1}, "bad": object(), "big": "x" * 200_000}
    )
    assert facts["cpu"]["flags"] == sorted(flags)
    assert [one["flags"] for one in facts["cpu"]["processors"]] == [[], ["odd"]]
    assert facts["nics"][0]["addresses"] == [
        {"address": "192.0.2.7", "prefix": 24, "netmask": "255.255.255.0", "broadcast": "192.0.2.255"},
        {"address": "2001:db8::1", "prefix": 64},
    ]
    assert facts["nics"][0]["speed_mbps"] == 1000
    assert facts["plugins"]["good"] == {"a": 1}
    assert "no plain data" in facts["plugins"]["bad"]["fault"]
    assert "too many" in facts["plugins"]["big"]["fault"]
    json.dumps(facts)
