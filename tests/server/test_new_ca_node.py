"""A node whose server has a new CA: told the new fingerprint, it is the same node again."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.server.node_side import LivingNode, with_registration
from tests.server.running import Server


@pytest.fixture(autouse=True)
def _section(monkeypatch: pytest.MonkeyPatch) -> None:
    with_registration(monkeypatch)


def test_it_is_the_same_node_by_its_old_key_without_a_token(tmp_path: Path, own_server: Server) -> None:
    node = LivingNode(tmp_path / "node", own_server, own_server.token("--auto-approve"))
    assert node.word()["standing"] == "active"
    before = node.memory.node_id
    port = own_server.url.rpartition(":")[2]
    own_server.stop()
    shutil.rmtree(own_server.data / "ca")
    own_server.options = (*own_server.options, "--new-ca")
    own_server.start(f"127.0.0.1:{port}")
    assert node.word()["standing"] != "active"

    node.set(fingerprint=own_server.json("ca", "show")["fingerprint"])
    assert node.until("active")
    assert node.memory.node_id == before
    assert len(own_server.json("nodes", "list")) == 1
