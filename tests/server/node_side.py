"""A whole node's side below a temporary folder: its state, its agent and its backend are the real ones."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from node.agent.happenings import Happenings, Seen, told
from node.agent.registration import Named, Post, Round, make_round
from node.cli.register_post import read_sections
from node.model.inventory import Firmware, Inventory, Nic
from node.model.registration import Around, Backend, Happening
from node.model.state import State
from node.persist.store import write_state
from node.plugins.registration import RegistrationAnswers, node_register
from node.plugins.registration.memory import Memory, read_memory
from node.plugins.registration.trust import sha256_of
from node.system.files import LiveFiles
from server.models import Reported
from tests.server.client import new_mac
from tests.server.running import Server
from tests.unit.agent import desk


class LivingNode:
    """A machine that was installed and told of a server. `round` is what its timer does."""

    def __init__(self, folder: Path, server: Server, token: str = "", **more: Any) -> None:
        self.node = desk.Node(folder)
        self.node.desk.places.net.joinpath("lo").mkdir()
        self.server = server
        nic = Nic("eno1", new_mac(), link=True, addresses=("192.0.2.10/24",))
        self.inventory = Inventory(
            hostname="node7",
            firmware=Firmware(product_uuid=str(uuid4()), vendor="ACME", serial=uuid4().hex),
            nics=(nic,),
        )
        self.facts: dict[str, Any] = {"memory": 1 << 30, "nics": [{"name": "<script>", "mac": nic.mac}]}
        self.taken = 0
        self.happenings = Happenings(0, Seen())
        self.boot_id = str(uuid4())
        self.clock = 1000.0
        self.node.install(hostname="node7")
        self.set(server=server.url, fingerprint=sha256_of(server.ca.read_text()), token=token, **more)

    def set(self, **registration: Any) -> None:
        """Change the section, as an operator does."""
        state = self.node.stored
        section = {**state.sections.get("registration", {}), **registration}
        section = {key: value for key, value in section.items() if value}
        new = replace(state, sections={**state.sections, "registration": section})
        write_state(self.node.config, new, reason="config set registration", at=datetime.now(UTC))

    def round(self, *, now: bool = True, new_key: bool = False) -> Round:
        """Make one."""
        done = make_round(self.post(), all_now=now, new_key=new_key)
        self.happenings = told(self.happenings, done.heard)
        return done

    def word(self) -> Mapping[str, Any]:
        """Make a round and give the server's word."""
        return dict(self.round().standings["server"])

    def until(self, standing: str, tries: int = 40) -> Mapping[str, Any]:
        """Make rounds until it stands so."""
        for _ in range(tries):
            word = self.word()
            if word["standing"] == standing:
                return word
            time.sleep(0.1)
        raise AssertionError(word)

    def post(self) -> Post:
        return Post(
            self.node.desk,
            self.node.config,
            lambda state: [Named("registration", each) for each in node_register(state)],
            self.around,
            read_sections,
            lambda: self.clock,
        )

    def around(self, backend: Backend, state: State) -> Around:
        return Around(
            state,
            self.inventory,
            self.folder,
            self.node.system.commands,
            LiveFiles(),
            self._take_facts,
            self.happenings.kept,
            {"health": "ok", "version": "1.0", "slot": "A"},
            self.boot_id,
            self.clock,
        )

    def happen(self, *words: str) -> None:
        """Have something happen."""
        at = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        for each in words:
            number = self.happenings.number + 1
            kept = (*self.happenings.kept, Happening(number, at, "fault", each))
            self.happenings = Happenings(number, self.happenings.seen, kept)

    @property
    def folder(self) -> Path:
        return self.node.config / "registration" / "server"

    @property
    def memory(self) -> Memory:
        return read_memory(self.folder, LiveFiles())

    @property
    def section(self) -> Mapping[str, Any]:
        return self.node.stored.sections["registration"]

    @property
    def shown(self) -> Mapping[str, Any]:
        """Give the node as the server shows it."""
        return dict(self.server.json("nodes", "show", self.memory.node_id))

    def told_words(self) -> list[str]:
        """Give the words of this node's own events as the server has them, by their numbers."""
        mine = select(Reported.words).where(Reported.node_id == self.memory.node_id).order_by(Reported.seq)
        with self.server.database() as database, Session(database.engine) as session:
            return list(session.scalars(mine))

    def _take_facts(self) -> Mapping[str, Any]:
        self.taken += 1
        return self.facts


def with_registration(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the small node of the unit tests know the section."""
    monkeypatch.setitem(desk.MODELS, "registration", RegistrationAnswers)
