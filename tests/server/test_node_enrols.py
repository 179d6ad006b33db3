"""The node's side against the real server: whom it believes, how it gets in, what an operator reads."""

from __future__ import annotations

import re
import stat
from pathlib import Path

import pytest

from tests.server.node_side import LivingNode, with_registration
from tests.server.running import Server


@pytest.fixture(autouse=True)
def _section(monkeypatch: pytest.MonkeyPatch) -> None:
    with_registration(monkeypatch)


def test_it_waits_for_an_operator_and_is_active_then(tmp_path: Path, server: Server) -> None:
    node = LivingNode(tmp_path, server, server.token())
    word = node.word()
    assert word["standing"] == "pending"
    assert node.memory.node_id in word["words"]
    assert "nodes approve" in word["mend"]
    # Both fingerprints, as the server shows them.
    terms = {term: re.sub("[^0-9a-f]", "", value.removeprefix("SHA256:")) for term, value in word["terms"]}
    assert terms["registration key"] == node.shown["key_fingerprint"]
    assert terms["registration CA"] == node.section["fingerprint"]
    # Asking again approves nothing.
    assert node.word()["standing"] == "pending"
    server.cli("nodes", "approve", node.memory.node_id)
    assert node.word()["standing"] == "active"
    assert node.shown["state"] == "active"


def test_the_key_is_roots_and_the_token_is_forgotten(tmp_path: Path, server: Server) -> None:
    token = server.token("--auto-approve")
    node = LivingNode(tmp_path, server, token)
    assert node.word()["standing"] == "active"
    assert stat.S_IMODE((node.folder / "key.pem").stat().st_mode) == 0o600
    assert "token" not in node.section
    kept = [path for path in node.node.config.rglob("*") if path.is_file()]
    assert any("history" in path.parts for path in kept)
    assert [path for path in kept if token.encode() in path.read_bytes()] == []
    assert [
        path for path in node.node.places.run.rglob("*") if path.is_file() and token in path.read_text()
    ] == []


def test_another_fingerprint_is_refused_and_nothing_is_said(tmp_path: Path, server: Server) -> None:
    token = server.token("--auto-approve")
    node = LivingNode(tmp_path, server, token)
    node.set(fingerprint="ab" * 32)
    word = node.word()
    assert word["standing"] == "refused"
    assert "its CA is another one" in word["words"]
    assert node.section["token"] == token
    node.set(fingerprint=LivingNode(tmp_path / "other", server).section["fingerprint"])
    assert node.word()["standing"] == "active"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (None, "wants a token"),
        ([], "doesn't know the token"),
        (["--bind-uuid", "8d3a1f42-9d11-4f19-8a67-0242ac110002"], "another machine"),
        (["--pool", "lab"], "another pool"),
    ],
)
def test_tokens_that_let_nobody_in(
    tmp_path: Path, server: Server, arguments: list[str] | None, words: str
) -> None:
    token = "" if arguments is None else server.token(*arguments) if arguments else "nct_nobody-knows-it"
    node = LivingNode(tmp_path, server, token, pool="default")
    word = node.word()
    assert word["standing"] == "refused"
    assert words in word["words"]
    assert "token create" in word["mend"]
    # A good one is taken at once, whatever was waited for.
    node.set(token=server.token("--auto-approve"))
    assert node.round(now=False).standings["server"]["standing"] == "active"


def test_a_used_token_and_a_machine_with_another_key(tmp_path: Path, server: Server) -> None:
    token = server.token("--auto-approve")
    node = LivingNode(tmp_path / "a", server, token)
    assert node.word()["standing"] == "active"
    other = LivingNode(tmp_path / "b", server, token)
    assert "used as often" in other.word()["words"]
    # The same machine, installed again: another key.
    again = LivingNode(tmp_path / "c", server, server.token("--auto-approve"))
    again.inventory = node.inventory
    word = again.word()
    assert word["standing"] == "refused"
    assert "by another key" in word["words"]
    server.cli("nodes", "rebind", node.memory.node_id)
    assert again.until("active")["words"].startswith(f"active as node {node.memory.node_id}")
    assert node.until("refused")["mend"]


def test_a_retired_node_is_told_so(tmp_path: Path, server: Server) -> None:
    node = LivingNode(tmp_path, server, server.token("--auto-approve"))
    node.until("active")
    server.cli("nodes", "retire", node.memory.node_id)
    word = node.until("refused")
    assert "retired" in word["words"]


def test_a_retired_node_comes_back_with_another_key(tmp_path: Path, server: Server) -> None:
    token = server.token("--auto-approve", "--uses", "2")
    node = LivingNode(tmp_path, server, token)
    node.until("active")
    old_key = (node.folder / "key.pem").read_bytes()
    server.cli("nodes", "retire", node.memory.node_id)
    node.set(token=token)
    word = node.until("refused")
    assert "nodectl register --new-key" in word["mend"]
    # Refused, the token was not used, though the node came in by it once.
    assert node.section["token"] == token
    assert node.round(new_key=True).standings["server"]["standing"] == "active"
    assert (node.folder / "key.pem").read_bytes() != old_key
    assert node.shown["state"] == "active"
    assert "token" not in node.section
    # Once: the next round comes with the key that is there.
    key = (node.folder / "key.pem").read_bytes()
    node.until("active")
    assert (node.folder / "key.pem").read_bytes() == key
