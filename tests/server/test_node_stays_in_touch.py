"""A registered node over time: facts, events, renewal, and servers that go away or lose their memory."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from node.plugins.registration import certificate
from node.plugins.registration.certificate import read_certificate
from node.plugins.registration.memory import write_memory
from node.system.files import LiveFiles
from tests.server.node_side import LivingNode, with_registration
from tests.server.running import Server


@pytest.fixture(autouse=True)
def _section(monkeypatch: pytest.MonkeyPatch) -> None:
    with_registration(monkeypatch)


def active(folder: Path, server: Server) -> LivingNode:
    node = LivingNode(folder, server, server.token("--auto-approve"))
    assert node.word()["standing"] == "active"
    return node


def test_facts_are_told_where_they_changed(tmp_path: Path, server: Server) -> None:
    node = active(tmp_path, server)
    assert node.shown["facts"] == node.facts
    assert node.taken == 1
    node.word()
    assert node.taken == 1
    # A link that went is told with the whole inventory.
    node.facts = {**node.facts, "memory": 2 << 30}
    node.inventory = replace(node.inventory, nics=(replace(node.inventory.nics[0], link=False),))
    node.word()
    assert node.taken == 2
    assert node.shown["facts"]["memory"] == 2 << 30


def test_events_of_a_time_offline_come_once_and_in_order(tmp_path: Path, own_server: Server) -> None:
    node = active(tmp_path, own_server)
    port = own_server.url.rpartition(":")[2]
    own_server.stop()
    words = [f"{number}: what happened" for number in range(250)]
    node.happen(*words[:3])
    word = node.word()
    assert word["standing"] == "waiting"
    assert "can't be reached; Connection refused" in word["words"]
    node.happen(*words[3:])
    assert len(node.happenings.kept) == 250
    own_server.start(f"127.0.0.1:{port}")
    node.until("active")
    # More than go in one request: the rest comes with the next.
    node.word()
    assert node.told_words() == words
    assert node.happenings.kept == ()
    node.word()
    assert node.told_words() == words


def test_an_answer_that_is_lost_makes_no_second_event(tmp_path: Path, server: Server) -> None:
    node = active(tmp_path, server)
    node.happen("one", "two")
    kept = node.happenings
    node.word()
    # As after a power cut before it was written down that they arrived.
    write_memory(node.folder, LiveFiles(), replace(node.memory, heard=node.memory.base))
    node.happenings = kept
    node.happen("three")
    node.word()
    assert node.told_words() == ["one", "two", "three"]


def test_facts_that_the_server_can_t_take_hold_up_nothing_else(tmp_path: Path, server: Server) -> None:
    node = active(tmp_path, server)
    node.facts = {"much": "x" * (2 << 20)}
    node.boot_id = "another"
    node.happen("said all the same")
    word = node.word()
    assert word["standing"] == "active"
    assert "413" in word["words"] or "too" in word["words"]
    assert node.told_words() == ["said all the same"]


def test_it_renews_at_two_thirds(tmp_path: Path, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    node = active(tmp_path, server)
    files = LiveFiles()
    held = read_certificate(node.folder, files)
    assert held is not None
    contents = (node.folder / "certificate.pem").read_bytes()
    node.word()
    assert (node.folder / "certificate.pem").read_bytes() == contents
    assert held.is_due(held.since + (held.until - held.since) * 0.7)
    assert not held.is_due(held.since + (held.until - held.since) * 0.6)
    monkeypatch.setattr(certificate, "RENEW_AT", 1e-9)
    node.word()
    assert (node.folder / "certificate.pem").read_bytes() != contents


def test_a_certificate_that_ran_out_is_got_anew_without_a_token(tmp_path: Path, server: Server) -> None:
    node = active(tmp_path, server)
    (node.folder / "certificate.pem").unlink()
    assert node.word()["standing"] == "active"
    (node.folder / "certificate.pem").write_text("no certificate")
    assert node.word()["standing"] == "active"


def test_a_server_that_lost_its_database_takes_it_back_by_a_token(tmp_path: Path, own_server: Server) -> None:
    node = active(tmp_path, own_server)
    lost = node.memory.node_id
    port = own_server.url.rpartition(":")[2]
    own_server.stop()
    own_server.database_url = f"sqlite:///{tmp_path / 'new.db'}"
    own_server.start(f"127.0.0.1:{port}")
    word = node.until("refused")
    assert "doesn't know this node" in word["words"]
    node.set(token=own_server.token("--auto-approve"))
    node.until("active")
    assert node.memory.node_id != lost
    assert node.shown["state"] == "active"


def test_a_damaged_key_is_never_replaced(tmp_path: Path, server: Server) -> None:
    node = active(tmp_path, server)
    (node.folder / "key.pem").write_text("no key")
    word = node.word()
    assert word["standing"] == "refused"
    assert "damaged" in word["words"]
    assert (node.folder / "key.pem").read_text() == "no key"


def test_a_clock_that_is_years_slow_is_set_by_the_server(
    tmp_path: Path, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    from node.plugins.registration import clock, visit, wire

    node = LivingNode(tmp_path, server, server.token("--auto-approve"))
    true, off = certificate.now, timedelta(days=7 * 365 - 90)
    set_to = []

    def refuse_once(*_: object) -> wire.CertificateError:
        return wire.CertificateError("not yet valid", clock=True, mend="")

    # What TLS says of a clock of then; ours can't be turned back for the whole machine.
    asked = visit.Connection.ask

    def ask(connection, method, path, *rest, **more):  # type: ignore[no-untyped-def]
        if not set_to and path == "/v1/enroll":
            raise refuse_once()
        return asked(connection, method, path, *rest, **more)

    monkeypatch.setattr(visit.Connection, "ask", ask)
    monkeypatch.setattr(clock, "now", lambda: true() - off)
    monkeypatch.setattr(clock, "is_synchronized", lambda: False)
    monkeypatch.setattr(clock, "ask_for_time", lambda _: False)
    monkeypatch.setattr(clock, "set_clock", set_to.append)
    word = node.word()
    assert word["standing"] == "active"
    assert "6 years slow and was set to the server's time" in word["words"]
    assert abs(set_to[0] - true()) < timedelta(minutes=1)
    # Back it is never set by the server: an old certificate that was stolen would count again.
    set_to.clear()
    monkeypatch.setattr(clock, "now", lambda: true() + off)
    node.memory  # noqa: B018
    (node.folder / "certificate.pem").unlink()
    word = node.word()
    assert word["standing"] == "waiting"
    assert set_to == []
    assert "this node's clock shows" in word["words"]
