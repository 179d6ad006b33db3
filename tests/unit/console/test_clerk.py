"""The side with the rights: it believes nobody, whatever the screens ask; and the wire to it."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from node.console.clerk import IDLE_S, Clerk
from node.console.views import Change, Standing
from node.console.wire import Remote, serve
from node.demo.console import DemoNode, recorded
from node.errors import InputError, NodeError, UnfitMachineError
from node.model.status import faults


@pytest.fixture
def node(tmp_path: Path) -> DemoNode:
    return DemoNode(tmp_path)


@pytest.fixture
def clerk(node: DemoNode) -> Clerk:
    return Clerk(node.surroundings())


SERVERS = Change("logging.forward", ["udp://192.0.2.9"])


def refuse_reading(node: DemoNode) -> None:
    root = Clerk(node.surroundings(), user="root")
    root.carry_out(root.propose([Change("access.console_reading", False)]).number)


@pytest.mark.parametrize(
    "ask",
    [
        lambda clerk: clerk.propose([SERVERS]),
        lambda clerk: clerk.carry_out(1),
        lambda clerk: clerk.confirm(),
        lambda clerk: clerk.take_back(),
        lambda clerk: clerk.leave("reboot"),
    ],
)
def test_nobody_changes_anything_without_a_log_in(ask, node: DemoNode, clerk: Clerk) -> None:
    with pytest.raises(InputError, match="nobody is logged in"):
        ask(clerk)
    assert node.left == []


@pytest.mark.parametrize(
    "ask",
    [
        lambda clerk: clerk.overview(),
        lambda clerk: clerk.settings(),
        lambda clerk: clerk.log(10),
        lambda clerk: clerk.lost(),
    ],
)
def test_reading_that_is_turned_off_is_refused(ask, node: DemoNode, clerk: Clerk) -> None:
    ask(clerk)
    refuse_reading(node)
    with pytest.raises(InputError, match="reading is turned off"):
        ask(clerk)
    clerk.login("admin", "demo")
    ask(clerk)
    clerk.logout()
    with pytest.raises(InputError, match="reading is turned off"):
        ask(clerk)


def test_a_state_that_cant_be_read_tells_nothing(node: DemoNode) -> None:
    def broken() -> None:
        raise NodeError("broken")

    desk = replace(node.desk, read=broken)
    clerk = Clerk(replace(node.surroundings(), desk=lambda: desk))
    assert clerk.standing().may_read is False


def test_what_is_stored_is_read_when_it_changed_alone(node: DemoNode) -> None:
    reads, rests, stamp = [], [], ["first"]

    def read() -> object:
        reads.append(stamp[0])
        return node.desk.read()

    desk = replace(node.desk, read=read)
    around = replace(
        node.surroundings(),
        desk=lambda: desk,
        stamp=lambda: stamp[0],
        rest=lambda: rests.append(stamp[0]),
    )
    clerk = Clerk(around)
    for _ in range(3):
        clerk.overview()
    assert (reads, rests) == (["first"], ["first"])
    refuse_reading(node)
    stamp[0] = "second"
    assert clerk.standing().may_read is False
    assert (reads, rests) == (["first", "second"], ["first", "second"])
    clerk.login("admin", "demo")
    clerk.settings()
    # Whoever is logged in changes something next.
    assert rests == ["first", "second"]
    clerk.logout()
    assert rests == ["first", "second", "second"]


def test_what_cant_be_read_is_read_again(node: DemoNode) -> None:
    failing = [True]

    def read() -> object:
        if failing.pop():
            raise NodeError("busy")
        failing.append(False)
        return node.desk.read()

    desk = replace(node.desk, read=read)
    clerk = Clerk(replace(node.surroundings(), desk=lambda: desk, stamp=lambda: "same"))
    assert clerk.standing().may_read is False
    failing.append(False)
    assert clerk.standing().may_read is True


def test_a_node_that_keeps_nothing_is_read(node: DemoNode) -> None:
    def nothing() -> None:
        raise UnfitMachineError("no CONFIG")

    desk = replace(node.desk, read=nothing)
    clerk = Clerk(replace(node.surroundings(), desk=lambda: desk))
    assert clerk.standing() == Standing()
    assert clerk.overview().status == recorded().status
    with pytest.raises(UnfitMachineError):
        clerk.settings()


def test_no_secret_leaves_the_clerk(clerk: Clerk, node: DemoNode) -> None:
    clerk.login("admin", "demo")
    hashed = node.stored["access"]["admin"]["password_hash"]
    proposed = clerk.propose([Change("access.admin.password_hash", hashed.replace("X3DX", "Y3DY"))])
    assert proposed.difference
    said = json.dumps([clerk.settings(), proposed.difference, node.notes])
    assert "$y$" not in said
    assert "demo" not in said


def test_only_what_was_proposed_last_is_carried_out_and_once(clerk: Clerk, node: DemoNode) -> None:
    clerk.login("admin", "demo")
    first = clerk.propose([SERVERS])
    second = clerk.propose([Change("logging.forward", ["udp://192.0.2.8"])])
    with pytest.raises(InputError):
        clerk.carry_out(first.number)
    clerk.carry_out(second.number)
    assert node.stored["logging"]["forward"] == ["udp://192.0.2.8"]
    with pytest.raises(InputError):
        clerk.carry_out(second.number)


def test_a_log_in_ends_by_itself(node: DemoNode) -> None:
    now = [0.0]
    clerk = Clerk(replace(node.surroundings(), clock=lambda: now[0]))
    clerk.login("admin", "demo")
    proposed = clerk.propose([SERVERS])
    now[0] += IDLE_S - 1
    assert clerk.stay().user == "admin"
    now[0] += IDLE_S + 1
    assert clerk.standing().user == ""
    with pytest.raises(InputError, match="nobody is logged in"):
        clerk.carry_out(proposed.number)


def test_who_is_root_already_stays(node: DemoNode) -> None:
    now = [0.0]
    clerk = Clerk(replace(node.surroundings(), clock=lambda: now[0]), user="root")
    now[0] += 10 * IDLE_S
    assert clerk.standing().user == "root"


def test_the_history_says_who_did_it_where(clerk: Clerk, node: DemoNode) -> None:
    clerk.login("admin", "demo")
    clerk.carry_out(clerk.propose([SERVERS]).number)
    text = "".join(path.read_text() for path in node.desk.places.root.parent.glob("config/**/*.yaml"))
    assert "console tty1: logging.forward, by admin" in text


def test_a_node_is_left_by_nothing_else(clerk: Clerk, node: DemoNode) -> None:
    clerk.login("admin", "demo")
    with pytest.raises(InputError):
        clerk.leave("rescue.target")
    assert node.left == []


def test_the_recorded_node_is_healthy() -> None:
    assert faults(recorded().status) == recorded().faults == ()


# The wire


@pytest.fixture
def wire(clerk: Clerk) -> Iterator[tuple[Remote, socket.socket]]:
    here, there = socket.socketpair()
    thread = threading.Thread(target=serve, args=(there, clerk))
    thread.start()
    remote = Remote(here)
    yield remote, here
    remote.close()
    thread.join(10)
    assert not thread.is_alive()


def test_values_and_errors_cross_the_wire_as_they_are(
    wire: tuple[Remote, socket.socket], clerk: Clerk
) -> None:
    remote, _ = wire
    assert remote.standing() == clerk.standing()
    assert remote.overview() == clerk.overview()
    assert remote.settings() == clerk.settings()
    assert remote.log(2) == clerk.log(2)
    assert remote.lost() == clerk.lost()
    with pytest.raises(InputError, match="the name or the password is wrong"):
        remote.login("admin", "no")
    assert remote.login("admin", "demo").user == "admin"
    with pytest.raises(InputError) as caught:
        remote.leave("sideways")
    assert "sideways" in caught.value.brief
    assert remote.logout().user == ""


@pytest.mark.parametrize(
    "asked",
    [
        b"no json",
        b"[]",
        b'{"call": "_forget", "arguments": {}}',
        b'{"call": "__init__", "arguments": {}}',
        b'{"call": "login", "arguments": {"user": "admin"}}',
        b'{"call": "login", "arguments": {"user": ["admin"], "password": {}}}',
        b'{"call": "log", "arguments": {"lines": "many"}}',
        b'{"call": "propose", "arguments": {"changes": [{"key": 1}]}}',
        b'{"arguments": {}}',
        b"\xff\xfe",
    ],
)
def test_nonsense_is_refused_and_ends_nothing(asked: bytes, wire: tuple[Remote, socket.socket]) -> None:
    remote, line = wire
    line.sendall(asked + b"\n")
    answer = json.loads(line.recv(65536))
    assert answer["error"]["brief"]
    assert remote.standing() == Standing()


def test_an_other_half_that_ended_is_an_error_in_words() -> None:
    here, there = socket.socketpair()
    there.close()
    remote = Remote(here)
    with pytest.raises(NodeError, match="the console's other half has ended"):
        remote.standing()
    remote.close()
