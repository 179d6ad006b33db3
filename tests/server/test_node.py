"""What a node does with its certificate."""

from __future__ import annotations

import base64
import time
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from server.models import Node
from tests.server.client import now_text
from tests.server.running import Server


def test_the_first_heartbeat_makes_it_active(server: Server) -> None:
    node = server.node()
    node.enroll(server.token("--auto-approve"))
    assert server.json("nodes", "show", node.node_id)["state"] == "approved"
    answer = node.heartbeat(uptime_s=77, state={"health": "good", "slot": "A"}).json()

    assert 54 <= answer["next_s"] <= 66
    assert answer["facts_wanted"] is True
    assert (answer["config_generation"], answer["config_etag"], answer["work"]) == (None, None, [])
    seen = server.json("nodes", "show", node.node_id)
    assert (seen["state"], seen["uptime_s"], seen["health"]) == (
        "active",
        77,
        {"health": "good", "slot": "A"},
    )
    node.heartbeat()
    node.heartbeat(boot_id="b2")
    assert server.kinds(node)[-2:] == ["active", "restarted"]
    assert node.enroll().json()["state"] == "active"


def test_intervals_differ(server: Server) -> None:
    node = server.active_node()
    assert len({node.heartbeat().json()["next_s"] for _ in range(12)}) > 1


def test_silence_makes_it_stale_and_a_word_active(own_server: Server) -> None:
    node = own_server.active_node()
    end = time.monotonic() + 60
    while own_server.json("nodes", "show", node.node_id)["state"] != "stale":
        assert time.monotonic() < end
        time.sleep(0.3)
    assert node.heartbeat().status_code == 200
    assert own_server.kinds(node)[-3:] == ["active", "stale", "active"]


def test_who_was_away_is_the_server_not_the_node(own_server: Server) -> None:
    node = own_server.active_node()
    own_server.stop()
    with own_server.database() as database, database.write() as session:
        session.get_one(Node, node.node_id).last_seen_at = datetime.now(UTC) - timedelta(days=1)
    start = time.monotonic()
    own_server.start()
    while time.monotonic() < start + 3:
        # Heartbeats come every second here; whoever is silent for five is stale, and no sooner.
        state = own_server.json("nodes", "show", node.node_id)["state"]
        assert state == "active" or time.monotonic() > start + 5
        time.sleep(0.2)


def test_a_wrong_clock_is_said_once(server: Server) -> None:
    node = server.active_node()
    year_1999 = datetime(1999, 1, 1, tzinfo=UTC).isoformat()
    assert node.heartbeat(time=year_1999).status_code == 200
    node.heartbeat(time=year_1999)
    assert server.json("nodes", "show", node.node_id)["clock_skew_s"] < -25 * 365 * 86400
    assert server.kinds(node).count("clock-wrong") == 1
    assert node.heartbeat(time="9999-12-31T23:59:59-14:00").status_code == 422


def test_facts_by_their_hash(server: Server) -> None:
    node = server.active_node()
    facts = {"cpus": [{"model": "é \u0000 \U0001f600"}], "memory": 17.5, "nics": {"<script>": None}}
    assert node.put_facts(facts).status_code == 200
    unchanged = node.put_facts(facts)
    assert (unchanged.status_code, unchanged.content) == (204, b"")
    shown = server.json("nodes", "show", node.node_id)
    assert shown["facts"] == facts
    assert node.heartbeat(facts_sha256=shown["facts_sha256"]).json()["facts_wanted"] is False
    assert node.heartbeat(facts_sha256="0" * 64).json()["facts_wanted"] is True

    wrong = node.put_facts({"cpus": 2}, "0" * 64)
    assert (wrong.status_code, wrong.json()["code"]) == (400, "hash-mismatch")
    # All of them are replaced.
    assert node.put_facts({"cpus": 2}).status_code == 200
    assert server.json("nodes", "show", node.node_id)["facts"] == {"cpus": 2}
    assert server.kinds(node).count("facts") == 2


def test_a_node_is_called_as_it_calls_itself_now(server: Server) -> None:
    def name() -> object:
        return server.json("nodes", "show", node.node_id)["name"]

    node = server.node()
    token = server.token("--auto-approve")
    node.enroll(token, name="before")
    assert node.enroll(name="after").status_code == 200
    assert name() == "after"
    node.enroll(name=None)
    assert name() == "after"
    node.put_facts({"hostname": "of-facts"})
    assert name() == "of-facts"
    for none in (None, 5, "", "a\nb", "\u0000", "x" * 254, {"a": 1}):
        assert node.put_facts({"hostname": none}).status_code == 200
        assert name() == "of-facts"


def test_old_facts_are_kept_a_few_times_back(server: Server) -> None:
    node = server.active_node()
    for number in range(25):
        assert node.put_facts({"number": number}).status_code == 200
    with server.database() as database, database.read() as session:
        from server.facts import facts_of

        kept = [entry.document for entry in facts_of(session, session.get_one(Node, node.node_id))]
    assert kept == [f'{{"number":{number}}}' for number in range(24, 4, -1)]


def _verify(answer: dict[str, object], node_id: str, ca_pem: bytes) -> None:
    """Do what a node has to: the signer is of the CA and for signing, the signature over all four."""
    signer = x509.load_pem_x509_certificate(str(answer["signer"]).encode())
    signer.verify_directly_issued_by(x509.load_pem_x509_certificate(ca_pem))
    uses = signer.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert [use.dotted_string for use in uses] == ["1.3.6.1.5.5.7.3.3"]
    text = f"nodecrust-config-v1\n{node_id}\n{answer['generation']}\n{answer['document']}"
    key = signer.public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    signature = base64.b64decode(str(answer["signature"]))
    key.verify(signature, text.encode(), ec.ECDSA(hashes.SHA256()))


def test_configuration_is_signed_and_grows(server: Server, tmp_path) -> None:  # type: ignore[no-untyped-def]
    node = server.node()
    node.enroll(server.token("--auto-approve", "--pool", "cfg-" + node.fingerprint[:8]))
    pool = "cfg-" + node.fingerprint[:8]
    missing = node.send("GET", "config")
    assert (missing.status_code, missing.json()["code"]) == (404, "no-config")

    file = tmp_path / "doc.yaml"
    file.write_text("# why\nnetwork: {hostname: é}\nlogging: {server: a}\n")
    server.cli("config", "set", "--pool", pool, str(file))
    answer = node.send("GET", "config")
    first = answer.json()
    assert first["document"] == file.read_text()
    _verify(first, node.node_id, server.ca.read_bytes())
    assert node.send("GET", "config", headers={"If-None-Match": answer.headers["etag"]}).status_code == 304
    beat = node.heartbeat().json()
    assert (beat["config_generation"], beat["config_etag"]) == (first["generation"], answer.headers["etag"])

    file.write_text("logging: {server: b}\n")
    server.cli("config", "set", "--node", node.node_id, str(file))
    answer = node.send("GET", "config", headers={"If-None-Match": answer.headers["etag"]})
    second = answer.json()
    assert answer.status_code == 200
    assert second["generation"] > first["generation"]
    assert second["document"] == "logging:\n  server: b\nnetwork:\n  hostname: é\n"
    _verify(second, node.node_id, server.ca.read_bytes())

    server.cli("config", "unset", "--node", node.node_id)
    third = node.send("GET", "config").json()
    assert third["generation"] > second["generation"]
    assert third["document"] == first["document"]

    for result in ("applied", "rolled-back", "refused"):
        body = {"generation": third["generation"], "result": result, "words": "it\nis so"}
        assert node.send("POST", "config/report", json=body).status_code == 204
    reports = server.json("nodes", "show", node.node_id)["config_reports"]
    assert [entry["result"] for entry in reports] == ["applied", "rolled-back", "refused"]
    (outcome,) = [
        line
        for line in server.cli("nodes", "show", node.node_id).splitlines()
        if line.startswith("config_outcome ")
    ]
    assert outcome.split()[1:4] == ["generation", str(third["generation"]), "refused"]
    assert outcome.endswith(": it?is so")


@pytest.mark.parametrize("text", ["- a\n", "a: [\n", "!!python/object/apply:os.system [ls]\n", "just words"])
def test_documents_that_are_none(server: Server, tmp_path, text: str) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "doc.yaml").write_text(text)
    assert "document" in server.cli("config", "set", "--pool", "x", str(tmp_path / "doc.yaml"), code=2)


def test_events_are_taken_over_once_and_in_order(server: Server) -> None:
    node = server.active_node()

    def post(*numbers: int) -> int:
        told = [{"seq": number, "at": now_text(), "kind": "k", "words": f"w{number}"} for number in numbers]
        answer = node.send("POST", "events", json={"events": told})
        assert answer.status_code == 200
        return int(answer.json()["accepted"])

    assert post() == 0
    assert post(1, 2, 3) == 3
    assert post(2, 3, 4) == 4
    assert post(6, 5, 5) == 6
    shown = server.json("nodes", "show", node.node_id)["reported"]
    assert [entry["seq"] for entry in shown] == [1, 2, 3, 4, 5, 6]
    told = [{"seq": number, "at": now_text(), "kind": "k"} for number in range(1, 202)]
    assert node.send("POST", "events", json={"events": told}).status_code == 422


def test_renewal_with_the_same_key(server: Server) -> None:
    node = server.active_node()
    answer = node.send("POST", "renew", json={"csr": node.csr()})
    assert answer.status_code == 200
    assert answer.json()["certificate"] != node.certificate
    node.certificate = answer.json()["certificate"]
    assert node.heartbeat().status_code == 200


def test_renewal_with_a_new_key_whose_answer_was_lost(server: Server) -> None:
    node = server.active_node()
    key = ec.generate_private_key(ec.SECP256R1())
    for _ in range(2):
        answer = node.send("POST", "renew", json={"csr": node.csr(key)})
        assert answer.status_code == 200
    # The old one is good until the new one was seen.
    assert node.heartbeat().status_code == 200
    renewed = server.node(key=key, product_uuid=node.identity["product_uuid"])
    renewed.node_id, renewed.certificate = node.node_id, answer.json()["certificate"]
    assert renewed.heartbeat().status_code == 200
    assert node.heartbeat().json()["code"] == "certificate-refused"
    assert renewed.enroll().json()["node_id"] == node.node_id
    assert server.kinds(node).count("key-changed") == 1


def test_a_key_of_another_node_is_not_taken(server: Server) -> None:
    node, other = server.active_node(), server.active_node()
    answer = node.send("POST", "renew", json={"csr": node.csr(other.key)})
    assert answer.status_code == 409
    assert other.heartbeat().status_code == 200
    assert node.heartbeat().status_code == 200


def test_certificate_life_is_the_operators(own_server: Server) -> None:
    own_server.stop()
    own_server.options = ("--certificate-life", "90s")
    own_server.start()
    answer = own_server.node().enroll(own_server.token("--auto-approve")).json()
    until = datetime.fromisoformat(answer["not_after"])
    assert until <= datetime.now(UTC) + timedelta(seconds=90)
