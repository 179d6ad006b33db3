"""`nodectl register` as root calls it, with every plugin and the facts of this very machine."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from node.agent.places import Places
from node.cli import config_desk, register, register_post
from node.cli.main import run
from node.model.inventory import Firmware, Nic
from node.model.state import State
from node.model.system import Completed
from node.persist.store import read_state, write_state
from node.plugins.registration.panel import lines
from node.plugins.registration.trust import sha256_of
from node.system.commands import LiveCommands
from node.system.status_inventory import find_registration, quick_inventory
from tests.server.client import new_mac
from tests.server.running import Server

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="nodectl register wants root")
Register = Callable[..., tuple[int, Any]]


class Commands(LiveCommands):
    """This machine's programs, but for systemd, which a container may not have."""

    def run(self, argv: Any, **more: Any) -> Completed:
        if str(argv[0]) == "systemctl":
            return Completed(tuple(map(str, argv)), 0, "", "")
        return super().run(argv, **more)


@pytest.fixture
def nodectl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Register:
    """Give what runs the command on a node whose files are below a temporary folder."""
    config, places = tmp_path / "config", Places(tmp_path / "root", tmp_path / "image", tmp_path / "run/node")
    for folder in (config, places.root / "etc/netplan", places.image, places.run):
        folder.mkdir(parents=True)
    monkeypatch.setenv("NODECRUST_PLUGINS", "")
    # It would take the place of pytest's own, for all tests that come after.
    monkeypatch.setattr("node.cli.main.configure_logging", lambda **_: None)
    monkeypatch.setattr(config_desk, "LiveCommands", Commands)
    monkeypatch.setattr(config_desk, "CONFIG", config)
    monkeypatch.setattr(config_desk, "Places", lambda: places)
    monkeypatch.setattr(register_post, "CONFIG", config)
    monkeypatch.setattr(register_post, "FOLDER", config / "registration")
    monkeypatch.setattr(register_post, "_SYSTEMD", tmp_path / "none")
    # A container has neither SMBIOS nor cards.
    machine = replace(
        quick_inventory(LiveCommands(), libvirt=False),
        firmware=Firmware(product_uuid=str(uuid4())),
        nics=(Nic("eno1", new_mac(), link=True),),
    )
    monkeypatch.setattr(register_post, "quick_inventory", lambda *_, **__: machine)
    monkeypatch.setattr(register, "_LOCK", places.run / "registration.lock")

    def call(*arguments: str) -> tuple[int, Any]:
        code = run(["register", "--json", *arguments])
        return code, json.loads(capsys.readouterr().out)

    return call


def install(folder: Path, **registration: str) -> None:
    state = State(install={"id": "one"}, sections={"registration": registration} if registration else {})
    write_state(folder / "config", state, reason="installation one", at=datetime.now(UTC))


def test_from_nothing_to_active(tmp_path: Path, server: Server, nodectl: Register) -> None:
    code, found = nodectl()
    assert (code, found["error"]["exit_code"]) == (69, 69)
    install(tmp_path)
    assert nodectl() == (0, {"format": 1, "exit_code": 0, "backends": {}, "next_s": None})
    pin = sha256_of(server.ca.read_text())
    install(tmp_path, server=server.url, fingerprint=pin, token=server.token(), pool="default")
    code, found = nodectl()
    word = found["backends"]["server"]
    assert (code, word["standing"]) == (75, "pending")
    node = word["words"].rpartition(" ")[2]
    # What everybody may read, in the panels too.
    left = tmp_path / "run/node/registration.json"
    assert left.stat().st_mode & 0o044 == 0o044
    asked = tmp_path / "etc/nodecrust/registration.d"
    asked.mkdir(parents=True)
    (asked / "server").touch()
    (tmp_path / "run/node").mkdir(exist_ok=True)
    panel = {line.term: line.value for line in lines(find_registration(tmp_path))}
    assert panel["registration"] == word["words"]
    assert "nodes approve" in panel["to be done"]
    assert panel["registration key"] == word["terms"]["registration key"]
    server.cli("nodes", "approve", node)
    code, found = nodectl("--now")
    assert (code, found["backends"]["server"]["standing"]) == (0, "active")
    shown = server.json("nodes", "show", node)
    facts = shown["facts"]
    assert len(facts["cpu"]["processors"]) == os.cpu_count()
    first = facts["cpu"]["processors"][0]
    assert {
        "number",
        "core",
        "cores",
        "vendor",
        "model",
        "family",
        "cpuid_level",
        "speed_mhz",
        "cache_kib",
    } <= set(first)
    assert facts["memory"] > 0
    assert "sse2" in facts["cpu"]["flags"] or facts["architecture"] != "x86_64"
    stored = read_state(tmp_path / "config")
    assert stored is not None
    assert "token" not in stored.state.sections["registration"]
    # Before its time comes, it is not asked again.
    before = (tmp_path / "config/registration/server/memory.json").read_bytes()
    server_seen = server.json("nodes", "show", node)["last_seen_at"]
    code, found = nodectl()
    assert found["backends"]["server"]["standing"] == "active"
    assert found["next_s"] > 0
    assert server.json("nodes", "show", node)["last_seen_at"] == server_seen
    assert (tmp_path / "config/registration/server/memory.json").read_bytes() == before


def test_a_refusal_and_a_server_that_is_away(tmp_path: Path, server: Server, nodectl: Register) -> None:
    install(tmp_path, server=server.url, fingerprint="ab" * 32)
    code, found = nodectl()
    assert (code, found["backends"]["server"]["standing"]) == (2, "refused")
    install(tmp_path, server="https://127.0.0.1:9", fingerprint="ab" * 32)
    code, found = nodectl()
    assert (code, found["backends"]["server"]["standing"]) == (75, "waiting")
    assert 5 < found["next_s"] < 20
    # Each failure waits longer.
    for _ in range(5):
        code, found = nodectl("--now")
    assert found["next_s"] > 100
