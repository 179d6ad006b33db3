"""What the server wants of a node: applied as nodectl does, taken back where it would cut the node off."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from node.plugins.registration.backend import ServerBackend
from node.plugins.registration.memory import write_memory
from node.system.files import LiveFiles
from tests.server.node_side import LivingNode, with_registration
from tests.server.running import Server


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    with_registration(monkeypatch)
    monkeypatch.setattr("node.agent.desired.REACH_S", 0.0)


@pytest.fixture
def node(tmp_path: Path, server: Server) -> LivingNode:
    found = LivingNode(tmp_path, server, server.token("--auto-approve"))
    assert found.word()["standing"] == "active"
    return found


def want(node: LivingNode, text: str) -> None:
    file = node.node.config.parent / "wanted.yaml"
    file.write_text(text)
    node.server.cli("config", "set", "--node", node.memory.node_id, str(file))


class PowerCutError(BaseException):
    """The end of everything, between two instructions."""


def _cut() -> None:
    raise PowerCutError


def hostname(node: LivingNode) -> str:
    return str(node.node.stored.sections["network"]["hostname"])


def test_it_is_laid_over_what_the_node_has_and_reported(node: LivingNode) -> None:
    want(node, "network: {dns: [192.0.2.53]}\n")
    assert "applied" in node.word()["words"]
    assert node.node.stored.sections["network"] == {"hostname": "node7", "dns": ["192.0.2.53"]}
    assert node.node.text("/etc/dns.conf") == "DNS=192.0.2.53\n"
    assert node.memory.untold is None
    # Once: what an operator changes on the node then, stays.
    node.node.install(hostname="mine")
    node.set(server=node.server.url, fingerprint=node.memory.ca)
    node.word()
    assert hostname(node) == "mine"


def test_what_cuts_it_off_is_taken_back_and_not_tried_again(
    node: LivingNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    want(node, "network: {netplan: {ethernets: {eno9: {dhcp4: false}}}}\n")
    tried: list[str] = []

    def reaches(*_: Any) -> bool:
        tried.append(node.node.text("/etc/netplan/90-nodecrust.yaml") or "")
        return False

    with monkeypatch.context() as patch:
        patch.setattr(ServerBackend, "reaches", reaches)
        word = node.word()
    assert "rolled-back" in word["words"]
    assert "eno9" in tried[0]
    assert "eno9" not in (node.node.text("/etc/netplan/90-nodecrust.yaml") or "")
    assert "netplan" not in node.node.stored.sections["network"]
    node.word()
    assert len(tried) == 1
    # One that does reach its server is confirmed, and stored.
    want(node, "network: {netplan: {ethernets: {eno8: {dhcp4: true}}}}\n")
    assert "applied" in node.word()["words"]
    assert node.node.stored.sections["network"]["netplan"] == {"ethernets": {"eno8": {"dhcp4": True}}}


def test_one_that_was_begun_before_a_restart_is_not_tried_again(node: LivingNode) -> None:
    want(node, "network: {hostname: node8}\n")
    # As the memory is left by a power cut in the middle of it.
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("node.agent.registration.apply_desired", lambda *_, **__: _cut())
        with pytest.raises(PowerCutError):
            node.word()
    assert node.memory.trying
    assert "rolled-back: the node was cut off" in node.word()["words"]
    assert hostname(node) == "node7"
    assert node.memory.trying == 0
    node.word()
    assert hostname(node) == "node7"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("network: {no_such_key: 1}\n", "network"),
        ("registration: {server: 'https://192.0.2.66'}\n", "cut the node off"),
    ],
)
def test_what_the_node_can_t_be_is_refused(node: LivingNode, text: str, words: str) -> None:
    want(node, text)
    word = node.word()
    assert "refused" in word["words"]
    assert words in word["words"]
    assert hostname(node) == "node7"
    assert node.memory.untold is None


def test_one_that_is_older_or_signed_by_another_is_refused(node: LivingNode) -> None:
    want(node, "network: {hostname: node8}\n")
    write_memory(node.folder, LiveFiles(), replace(node.memory, generation=2**40))
    word = node.word()
    assert "is older (" in word["words"]
    assert hostname(node) == "node7"
