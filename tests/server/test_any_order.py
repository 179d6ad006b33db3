"""Registering, approving, rejecting, retiring, rebinding and crashing in any order, against a model."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import func, select

from server.database import Database
from server.models import Event, Mark, Node, Token
from tests.server.client import FakeNode
from tests.server.forked import ForkedServer

_MACHINES, _KEYS = 2, 4


@pytest.fixture(scope="module")
def crashing(
    database_url: Callable[[Path], str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ForkedServer]:
    folder = tmp_path_factory.mktemp("crashing")
    server = ForkedServer(folder, database_url(folder), ("--refusals", "100000"))
    server.start()
    yield server
    assert server.stop() == 0
    assert "Traceback" not in server.log


@dataclass
class Known:
    """What the server must hold of a node."""

    machine: int
    key: int
    state: str
    refused: int | None = None


class Enrolment(RuleBasedStateMachine):
    """The model: at most one living node a machine, one node a key for ever."""

    server: ForkedServer
    database: Database

    def __init__(self) -> None:
        super().__init__()
        self.known: dict[str, Known] = {}
        # Every key that ever was a node's own; after a rebind it is nobody's.
        self.of_key: dict[int, str] = {}
        self.old_keys: set[int] = set()
        self.made = 0
        self.crashes = 0
        self.history: list[tuple[int, str | None, str]] = []

    @initialize()
    def machines_and_keys(self) -> None:
        self.uuids = [str(uuid4()) for _ in range(_MACHINES)]
        self.keys = [self.server.node() for _ in range(_KEYS)]
        self.tokens = {
            approves: self.server.json("token", "create", "--uses", "100", "--pool", self.uuids[0], *more)
            for approves, more in ((False, []), (True, ["--auto-approve"]))
        }

    def _node(self, key: int, machine: int) -> FakeNode:
        node = self.keys[key]
        node.url = self.server.url
        node.identity["product_uuid"] = self.uuids[machine]
        return node

    @rule(
        key=st.integers(0, _KEYS - 1),
        machine=st.integers(0, _MACHINES - 1),
        token=st.sampled_from((None, False, True)),
    )
    def register(self, key: int, machine: int, token: bool | None) -> None:
        answer = self._node(key, machine).enroll(None if token is None else self.tokens[token]["token"])
        told = answer.json()
        if (node_id := self.of_key.get(key)) is not None:
            state = self.known[node_id].state
            if state == "retired":
                assert (answer.status_code, told["code"]) == (403, "retired")
            else:
                assert (answer.status_code, told["node_id"]) == (202 if state == "pending" else 200, node_id)
                assert told["state"] == state
            return
        if token is None:
            assert (answer.status_code, told["code"]) == (401, "token-missing")
            return
        holder = self._living(machine)
        if holder is not None:
            assert (answer.status_code, told["code"]) == (409, "machine-known")
            self.known[holder].refused = key
            return
        assert answer.status_code == (200 if token else 202)
        assert told["node_id"] not in self.known
        self.known[told["node_id"]] = Known(machine, key, "approved" if token else "pending")
        self.of_key[key] = told["node_id"]
        self.old_keys.discard(key)
        self.made += 1

    def _living(self, machine: int) -> str | None:
        living = [i for i, node in self.known.items() if node.machine == machine and node.state != "retired"]
        assert len(living) <= 1
        return living[0] if living else None

    @precondition(lambda self: self.known)
    @rule(which=st.integers(0, 7), what=st.sampled_from(("approve", "reject", "retire")))
    def decide(self, which: int, what: str) -> None:
        node_id = list(self.known)[which % len(self.known)]
        node = self.known[node_id]
        refused = {
            "approve": node.state == "retired",
            "reject": node.state != "pending",
            "retire": False,
        }[what]
        self.server.cli("nodes", what, node_id, code=2 if refused else 0)
        if refused:
            return
        if what != "approve":
            node.state = "retired"
        elif node.state == "pending":
            node.state = "approved"

    @precondition(lambda self: self.known)
    @rule(which=st.integers(0, 7))
    def rebind(self, which: int) -> None:
        node_id = list(self.known)[which % len(self.known)]
        node = self.known[node_id]
        # The key that was refused may have become another machine's node since.
        taken = node.refused is not None and self.of_key.get(node.refused, node_id) != node_id
        if node.state == "retired" or node.refused is None or taken:
            self.server.cli("nodes", "rebind", node_id, code=2)
            return
        self.server.cli("nodes", "rebind", node_id)
        del self.of_key[node.key]
        self.old_keys.add(node.key)
        self.old_keys.discard(node.refused)
        self.of_key[node.refused] = node_id
        node.key, node.refused = node.refused, None

    @rule(key=st.integers(0, _KEYS - 1))
    def heartbeat(self, key: int) -> None:
        node = self._node(key, 0)
        if node.certificate is None:
            return
        node_id = self.of_key.get(key)
        answer = node.heartbeat()
        if node_id is None:
            assert (answer.status_code, answer.json()["code"]) == (403, "certificate-refused")
        elif node.node_id != node_id or self.known[node_id].state == "pending":
            # A certificate of a node that this key was before.
            assert answer.status_code == 403
        elif self.known[node_id].state == "retired":
            assert (answer.status_code, answer.json()["code"]) == (403, "retired")
        else:
            assert answer.status_code == 200
            self.known[node_id].state = "active"

    # Starting takes half a second.
    @precondition(lambda self: self.crashes < 2)
    @rule()
    def crash(self) -> None:
        self.crashes += 1
        self.server.stop(signal.SIGKILL)
        self.server.start()

    @invariant()
    def the_server_holds_what_the_model_does(self) -> None:
        if not hasattr(self, "keys"):
            return
        with self.database.read() as session:
            found = session.scalars(select(Node).where(Node.pool == self.uuids[0])).all()
            used = session.scalar(select(func.sum(Token.used)).where(Token.pool == self.uuids[0]))
            marks = session.scalars(select(Mark.mark).join(Node).where(Node.pool == self.uuids[0])).all()
        assert {node.id: (node.state, node.key_fingerprint) for node in found} == {
            node_id: (known.state, self.keys[known.key].fingerprint) for node_id, known in self.known.items()
        }
        assert used == self.made
        living = [known for known in self.known.values() if known.state != "retired"]
        assert {mark for mark in marks if mark.startswith("uuid:")} == {
            f"uuid:{self.uuids[known.machine]}" for known in living
        }
        assert {mark for mark in marks if mark.startswith("key:")} == {
            f"key:{self.keys[key].fingerprint}" for key in self.of_key
        }

    @invariant()
    def events_only_grow_and_tell_the_state(self) -> None:
        with self.database.read() as session:
            query = select(Event).where(Event.node_id.in_(self.known)).order_by(Event.id)
            events = [(event.id, event.node_id, event.kind) for event in session.scalars(query)]
        assert events[: len(self.history)] == self.history
        self.history = events
        for node_id, known in self.known.items():
            kinds = [kind for _, of, kind in events if of == node_id]
            assert kinds.count("enrolled") == 1
            assert kinds.count("approved") == (known.state in ("approved", "active") or "approved" in kinds)
            ended = kinds.count("retired") + kinds.count("rejected")
            assert ended == (known.state == "retired")
            if known.state == "active":
                assert "active" in kinds


def test_any_order(crashing: ForkedServer) -> None:
    with crashing.database() as opened:

        class Machine(Enrolment):
            server = crashing
            database = opened

        run_state_machine_as_test(
            Machine,
            settings=settings(
                max_examples=settings().max_examples if settings().max_examples > 100 else 6,
                stateful_step_count=20,
                deadline=None,
                suppress_health_check=list(HealthCheck),
            ),
        )
