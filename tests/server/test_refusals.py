"""What is refused is counted and becomes an event, but seldom: it is no way to fill the table of events."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import httpx
import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from server.certificates import self_signed
from tests.server.running import Server


def _kinds(server: Server) -> Counter[str]:
    return Counter(event["kind"] for event in server.events())


@pytest.mark.parametrize("fault", ["token-missing", "token-used-up", "bad-identity", "identity-too-weak"])
def test_refusals_without_end_are_one_event(own_server: Server, fault: str) -> None:
    token = None if fault == "token-missing" else own_server.token()
    if fault == "token-used-up":
        assert own_server.node().enroll(token).status_code == 202
    weak = {"product_uuid": "00000000-0000-0000-0000-000000000000", "serial": None, "macs": []}
    bad = {"product_uuid": "no uuid"}
    codes = []
    for _ in range(25):
        node = own_server.node()
        node.identity |= {"identity-too-weak": weak, "bad-identity": bad}.get(fault, {})
        codes.append(node.enroll(token).json()["code"])
    # The clock's minute may end in between.
    assert codes[:10] == [fault] * 10
    assert codes.count(fault) <= 20
    assert set(codes) == {fault, "slow-down"}
    kinds = _kinds(own_server)
    assert (kinds[fault], kinds["slow-down"]) == (1, 1)
    told = next(event for event in own_server.events() if event["kind"] == fault)
    assert told["who"] == "address:127.0.0.1"


def test_keys_without_end_for_a_known_machine_are_a_few_events(own_server: Server) -> None:
    node = own_server.active_node()
    token = own_server.token()
    for _ in range(2):
        others = [own_server.node(product_uuid=node.identity["product_uuid"]) for _ in range(2)]
        for _ in range(3):
            for other in others:
                assert other.enroll(token).json()["code"] == "machine-known"
    # One for each key, though they take turns.
    assert own_server.kinds(node).count("other-key") == 4
    shown = own_server.json("nodes", "show", str(node.node_id))
    assert shown["refused_key"] == others[-1].fingerprint


def test_certificates_of_nobody_without_end_are_one_event(own_server: Server) -> None:
    node = own_server.node()
    made = self_signed("x", node.key, timedelta(days=1), datetime.now(UTC))
    node.node_id, node.certificate = str(uuid4()), made.public_bytes(Encoding.PEM).decode()
    for _ in range(8):
        with pytest.raises(httpx.TransportError):
            node.heartbeat()
    # Events of handshakes are written beside them; stopping waits for those.
    own_server.stop()
    assert _kinds(own_server)["certificate-refused"] == 1
    own_server.start()


def test_a_retired_node_that_still_speaks_and_one_that_asks_for_another(own_server: Server) -> None:
    node, other = own_server.active_node(), own_server.active_node()
    for _ in range(3):
        assert node.send("GET", "config", node_id=other.node_id).json()["code"] == "not-this-node"
    told = [event for event in own_server.events(node) if event["kind"] == "not-this-node"]
    assert [event["who"] for event in told] == [f"node:{node.node_id}"]

    own_server.cli("nodes", "retire", str(node.node_id))
    for _ in range(3):
        assert node.heartbeat().json()["code"] == "retired"
        assert node.enroll().json()["code"] == "retired"
    kinds = own_server.kinds(node)
    assert (kinds.count("retired"), kinds.count("retired-asks")) == (1, 1)
    assert not [kind for kind in own_server.kinds(other) if kind in ("not-this-node", "retired-asks")]
