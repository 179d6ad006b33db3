"""Bad input and bad days: a clear status, an event, no duplicate, no secret in a log."""

from __future__ import annotations

import hashlib
import http.client
import json
import signal
import socket
import sqlite3
import ssl
import subprocess
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import httpx
import psycopg
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from server.ca import open_authority
from server.certificates import CLIENT, SIGNING, Wanted, issued, self_signed
from tests.server.client import FakeNode
from tests.server.running import Server


def _handshake_fails(node: FakeNode) -> bool:
    try:
        node.heartbeat()
    except httpx.TransportError:
        return True
    return False


def _eventually(is_so: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.1)


def _eventually_an_event(server: Server, kind: str, words: str) -> None:
    end = time.monotonic() + 30
    while not any(event["kind"] == kind and words in event["words"] for event in server.events()):
        assert time.monotonic() < end, server.events()[-5:]
        time.sleep(0.1)


@pytest.mark.parametrize("fault", ["another CA", "over", "not yet"])
def test_forged_and_old_certificates_end_the_handshake(server: Server, fault: str) -> None:
    node = server.active_node()
    ca = open_authority(server.data / "ca", create=False)
    now = datetime.now(UTC)
    moment, life = {
        "another CA": (now, timedelta(days=1)),
        "over": (now - timedelta(days=8), timedelta(days=7)),
        "not yet": (now + timedelta(days=1), timedelta(days=7)),
    }[fault]
    name = x509.UniformResourceIdentifier(f"urn:uuid:{node.node_id}")
    wanted = Wanted(str(node.node_id), [CLIENT], life, [name])
    key = ec.generate_private_key(ec.SECP256R1())
    if fault == "another CA":
        # It has the real one's name.
        common_name = ca.certificate.subject.rfc4514_string().removeprefix("CN=")
        parent, parent_key = self_signed(common_name, key, timedelta(days=1), now), key
    else:
        parent, parent_key = ca.certificate, ca._key
    forged = issued(wanted, node.key.public_key(), parent, parent_key, moment)
    node.certificate = forged.public_bytes(Encoding.PEM).decode()

    assert _handshake_fails(node)
    words = {"another CA": "signature failure", "over": "expired", "not yet": "not yet valid"}[fault]
    if fault == "another CA":
        words = "refused in the handshake"
    _eventually_an_event(server, "certificate-refused", words)
    # Whoever has the key is still the node.
    node.certificate = None
    assert node.enroll().status_code == 200
    assert node.heartbeat().status_code == 200


def test_certificates_of_ours_that_are_for_something_else(server: Server) -> None:
    node = server.active_node()
    ca = open_authority(server.data / "ca", create=False)
    wanted = Wanted("x", [SIGNING], timedelta(days=1))
    made = issued(wanted, node.key.public_key(), ca.certificate, ca._key, datetime.now(UTC))
    node.certificate = made.public_bytes(Encoding.PEM).decode()
    assert _handshake_fails(node)


def test_a_certificate_whose_key_is_no_nodes(server: Server) -> None:
    node = server.active_node()
    key = ec.generate_private_key(ec.SECP256R1())
    ca = open_authority(server.data / "ca", create=False)
    made = ca.issue_node(str(node.node_id), key.public_key(), timedelta(days=1))
    stranger = server.node(key=key)
    stranger.node_id, stranger.certificate = node.node_id, made.public_bytes(Encoding.PEM).decode()
    answer = stranger.heartbeat()
    assert (answer.status_code, answer.json()["code"]) == (403, "certificate-refused")


def test_another_nodes_id_in_the_path(server: Server) -> None:
    node, other = server.active_node(), server.active_node()
    before = server.json("nodes", "show", str(other.node_id))
    beat = {"boot_id": "evil", "uptime_s": 1, "time": "2026-01-01T00:00:00Z"}
    facts = {"a": 1}
    sha256 = hashlib.sha256(b'{"a":1}').hexdigest()
    for method, path, body, headers in (
        ("POST", "heartbeat", beat, {}),
        ("PUT", "facts", {"facts": facts}, {"Nodecrust-Facts-SHA256": sha256}),
        ("POST", "renew", {"csr": node.csr()}, {}),
        ("POST", "events", {"events": []}, {}),
        ("POST", "config/report", {"generation": 1, "result": "applied"}, {}),
        ("GET", "config", None, {}),
    ):
        answer = node.send(method, path, node_id=other.node_id, json=body, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (403, "not-this-node"), path
        with node.client(with_certificate=False) as client:
            answer = client.request(method, f"/v1/nodes/{other.node_id}/{path}", json=body, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (401, "certificate-needed"), path
    assert server.json("nodes", "show", str(other.node_id)) == before


def test_a_replayed_request_gives_nothing_away(server: Server) -> None:
    node = server.active_node()
    replayed = {"protocol": 1, "csr": node.csr(), "identity": node.identity, "name": None}
    with node.client(with_certificate=False) as client:
        answer = client.post("/v1/enroll", json=replayed)
    # The certificate is public; without the key it opens nothing.
    made = x509.load_pem_x509_certificate(answer.json()["certificate"].encode())
    assert made.public_key() == node.key.public_key()
    assert server.kinds(node).count("enrolled") == 1


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"", 422),
        (b"{", 422),
        (b"[]", 422),
        (b"\xff\xfe", 422),
        (b'{"protocol": 2}', 422),
        (b'{"protocol": 1, "csr": 5, "identity": []}', 422),
        (b'{"a":' * 40_000, 400),
        (b"[" * 100_000, 400),
        (b'{"protocol": ' + b"9" * 5000 + b"}", 400),
        (b'{"protocol":1,"csr":"","identity":{"vendor":"\\u0000"}}', 422),
        (b'{"protocol":1,"csr":"","identity":{"vendor":"\\ud800"}}', 422),
    ],
)
def test_malformed_bodies(server: Server, content: bytes, status: int) -> None:
    with server.node().client() as client:
        answer = client.post("/v1/enroll", content=content, headers={"Content-Type": "application/json"})
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == "malformed"


def test_bodies_that_are_too_large(server: Server) -> None:
    node = server.active_node()
    with node.client() as client:
        for path, limit in (("/v1/enroll", 256), (f"/v1/nodes/{node.node_id}/facts", 1024)):
            large = b" " * (limit * 1024 + 1)
            chunks = (large[place : place + 65536] for place in range(0, len(large), 65536))
            for content in (large, chunks):
                method = "PUT" if path.endswith("facts") else "POST"
                answer = client.request(method, path, content=content)
                assert (answer.status_code, answer.json()["code"]) == (413, "too-large"), path
    # What is just within the limit is read.
    assert node.put_facts({"a": "x" * (1024 * 1024 - 100)}).status_code == 200
    assert node.heartbeat(state={"a": "x" * 9000}).status_code == 413


def test_facts_that_are_no_json(server: Server) -> None:
    node = server.active_node()
    headers = {"Nodecrust-Facts-SHA256": "0" * 64, "Content-Type": "application/json"}
    for facts in (b"NaN", b'{"a": NaN}', b'{"a": 1e999}', b'{"a":' * 50 + b"1" + b"}" * 50):
        answer = node.send("PUT", "facts", content=b'{"facts": ' + facts + b"}", headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (422, "malformed"), facts


def test_a_thousand_wrong_tokens_are_slowed_down(own_server: Server) -> None:
    node = own_server.node()
    good = own_server.token()
    body = {"protocol": 1, "csr": node.csr(), "identity": node.identity, "name": None}

    host, port = own_server.url.removeprefix("https://").split(":")
    client = http.client.HTTPSConnection(host, int(port), context=node.context(), timeout=60)
    codes = []
    start = time.monotonic()
    for number in range(1000):
        headers = {"Authorization": f"Bearer nct_{number}", "Content-Type": "application/json"}
        client.request("POST", "/v1/enroll", json.dumps(body), headers)
        answer = client.getresponse()
        codes.append((answer.status, json.loads(answer.read())["code"]))
        if answer.status == 429:
            assert 0 < int(answer.headers["retry-after"]) <= 60
    client.close()
    minutes = int((time.monotonic() - start) // 60) + 1
    assert codes.count((401, "token-unknown")) <= 10 * minutes
    assert set(codes) == {(401, "token-unknown"), (429, "slow-down")}
    kinds = [event["kind"] for event in own_server.events()]
    assert kinds.count("token-unknown") == 1
    assert kinds.count("slow-down") == 1
    # A neighbour behind the same address has the right one.
    assert node.enroll(good).status_code == 202


def test_sql_in_every_text(server: Server) -> None:
    evil = "x'); DROP TABLE node; --"
    node = server.node(vendor=evil, serial=evil)
    assert node.enroll(server.token(), name=evil).status_code == 202
    assert server.json("nodes", "show", evil)["vendor"] == evil
    assert server.cli("nodes", "show", "' OR 1=1 --", code=2)
    assert server.node().enroll("' OR '1'='1").json()["code"] == "token-unknown"


def test_events_are_only_added(server: Server) -> None:
    server.active_node()
    with server.database() as database:
        for statement in ("UPDATE event SET who = 'x'", "DELETE FROM event"):
            with pytest.raises(DBAPIError, match="only added"), database.write() as session:
                session.execute(text(statement))


def test_killed_while_many_enrol(own_server: Server) -> None:
    token = own_server.token("--uses", "60", "--auto-approve")
    nodes = [own_server.node() for _ in range(60)]
    host, port = own_server.url.removeprefix("https://").split(":")

    def enrol(node: FakeNode) -> int | None:
        try:
            return node.enroll(token).status_code
        except (httpx.TransportError, ssl.SSLError):
            return None

    with ThreadPoolExecutor(6) as pool:
        futures = [pool.submit(enrol, node) for node in nodes]
        while sum(future.done() for future in futures) < 10:
            time.sleep(0.01)
        own_server.stop(signal.SIGKILL)
        first = [future.result() for future in futures]
    assert None in first
    assert 200 in first

    own_server.start(f"{host}:{port}")
    # Whoever got no answer asks again, and all of them are nodes, each once, the token used for each once.
    known = {node.fingerprint: node.node_id for node, code in zip(nodes, first, strict=True) if code == 200}
    for node in nodes:
        assert node.enroll(token).status_code == 200
        assert known.get(node.fingerprint, node.node_id) == node.node_id
    assert len(own_server.json("nodes", "list")) == 60
    assert own_server.json("token", "list")[0]["used"] == 60
    kinds = [event["kind"] for event in own_server.events()]
    assert kinds.count("enrolled") == 60


def test_the_database_goes_away_and_comes_back(own_server: Server) -> None:
    node = own_server.active_node()
    if own_server.database_url.startswith("sqlite"):
        # Somebody holds it for longer than anyone waits.
        pytest.skip("a file does not go away")
    name = own_server.database_url.split("/")[3].split("?")[0]
    admin = own_server.database_url.replace(f"/{name}?", "/postgres?")
    with psycopg.connect(admin, autocommit=True) as connection:
        connection.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name]
        )
        answer = node.heartbeat()
        assert (answer.status_code, answer.json()["code"]) == (503, "try-later")
        assert int(answer.headers["retry-after"]) > 0
        with node.client() as client:
            assert client.get("/v1/health").status_code == 200
        # The command line says the same, in words.
        said = own_server.cli("nodes", "list", code=75)
        assert "can't be reached" in said
        # Looking for silent nodes goes on, in a line each time; the fixture looks for a traceback.
        _eventually(lambda: own_server.log.count("could not look for silent nodes") > 1)
        connection.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
    assert node.heartbeat().status_code == 200


def test_no_secret_is_in_any_log_or_table(own_server: Server) -> None:
    server = own_server
    token = server.token("--auto-approve", "--uses", "3")
    node = server.node()
    node.enroll(token)
    server.node().enroll("nct_wrong-but-maybe-another-servers")
    with httpx.Client(base_url=server.url, verify=ssl.create_default_context(cafile=str(server.ca)),
                      trust_env=False) as client:  # fmt: skip
        client.post("/login", data={"token": server.admin_token})
        cookie = client.cookies["__Host-session"]
        client.get(f"/nodes?secret={token}")
        client.post("/v1/enroll", content=b"{", headers={"Authorization": f"Bearer {token}"})
    server.cli("nodes", "retire", str(node.node_id))
    server.stop()
    if server.database_url.startswith("sqlite"):
        with sqlite3.connect(server.folder / "node.db") as connection:
            stored = "\n".join(connection.iterdump())
        connection.close()
    else:
        url = server.database_url
        stored = subprocess.run(["pg_dump", url], check=True, capture_output=True, text=True).stdout
    for secret in (token, server.admin_token, cookie, "nct_wrong-but-maybe-another-servers"):
        assert len(secret) > 20
        assert secret not in server.log
        assert secret not in stored
    assert hashlib.sha256(token.encode()).hexdigest() in stored


def test_a_connection_that_says_nothing_is_closed(own_server: Server) -> None:
    host, port = own_server.url.removeprefix("https://").split(":")
    context = ssl.create_default_context(cafile=str(own_server.ca))
    with (
        socket.create_connection((host, int(port)), timeout=60) as plain,
        context.wrap_socket(plain, server_hostname=host) as quiet,
    ):
        quiet.sendall(b"GET /v1/health HTTP/1.1\r\n")
        assert quiet.recv(10) == b""


def test_a_proxy_speaks_for_nodes_and_nobody_else_does(server: Server, tmp_path) -> None:  # type: ignore[no-untyped-def]
    import base64
    from urllib.parse import quote

    server.cli("proxy", "create", "front", "--host", "nodes.example", "--output", str(tmp_path / "p"))
    node = server.active_node()
    made = x509.load_pem_x509_certificate(str(node.certificate).encode())
    der = made.public_bytes(Encoding.DER)
    field = base64.b64encode(der).decode()
    body = {"boot_id": "b", "uptime_s": 1, "time": datetime.now(UTC).isoformat()}
    path = f"/v1/nodes/{node.node_id}/heartbeat"

    context = ssl.create_default_context(cafile=str(server.ca))
    context.load_cert_chain(tmp_path / "p" / "proxy.crt", tmp_path / "p" / "proxy.key")
    other = server.active_node()
    with (
        httpx.Client(base_url=server.url, verify=context, trust_env=False) as proxy,
        other.client() as node_itself,
        other.client(with_certificate=False) as nobody,
    ):
        for headers in ({"X-SSL-Client-Cert": field}, {"X-SSL-Client-Cert": quote(str(node.certificate))}):
            assert proxy.post(path, json=body, headers=headers).status_code == 200
            assert node_itself.post(path, json=body, headers=headers).json()["code"] == "not-this-node"
            assert nobody.post(path, json=body, headers=headers).json()["code"] == "certificate-needed"
        assert proxy.post(path, json=body).json()["code"] == "certificate-needed"
        # What a proxy may let through by not knowing it.
        let_through = {"Client-Cert": f":{field}:", "X-Client-Cert": field, "Forwarded": "for=192.0.2.1"}
        assert proxy.post(path, json=body, headers=let_through).json()["code"] == "certificate-needed"
        for wrong in ("AAAA", "é", ":", "%41", "%"):
            answer = proxy.post(path, json=body, headers={"X-SSL-Client-Cert": wrong.encode()})
            assert (answer.status_code, answer.json()["code"]) == (403, "certificate-refused"), wrong
        key = ec.generate_private_key(ec.SECP256R1())
        now = datetime.now(UTC)
        fake_ca = self_signed("x", key, timedelta(days=1), now)
        name = x509.UniformResourceIdentifier(f"urn:uuid:{node.node_id}")
        forged = issued(
            Wanted("x", [CLIENT], timedelta(days=1), [name]), node.key.public_key(), fake_ca, key, now
        )
        field = base64.b64encode(forged.public_bytes(Encoding.DER)).decode()
        answer = proxy.post(path, json=body, headers={"X-SSL-Client-Cert": field})
        assert (answer.status_code, answer.json()["code"]) == (403, "certificate-refused")
        # Addresses are the proxy's word too.
        machine = server.node()
        enrol = {"protocol": 1, "csr": machine.csr(), "identity": machine.identity, "name": None}
        headers = {"Authorization": f"Bearer {server.token()}", "X-Forwarded-For": "10.9.9.9, 192.0.2.77"}
        made_id = proxy.post("/v1/enroll", json=enrol, headers=headers).json()["node_id"]
        assert server.json("nodes", "show", made_id)["address"] == "192.0.2.77"


def test_a_proxy_whose_certificate_ends_soon_is_told_once(
    own_server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.ca._PROXY_LIFE", timedelta(days=20))
    own_server.cli("proxy", "create", "front", "--host", "nodes.example", "--output", str(tmp_path / "p"))
    context = ssl.create_default_context(cafile=str(own_server.ca))
    context.load_cert_chain(tmp_path / "p" / "proxy.crt", tmp_path / "p" / "proxy.key")
    with httpx.Client(base_url=own_server.url, verify=context, trust_env=False) as proxy:
        for _ in range(2):
            assert proxy.get(f"/v1/nodes/{uuid4()}/config").json()["code"] == "certificate-needed"
    assert own_server.log.count("its certificate ends in 19 days") == 1
    assert "proxy front" in own_server.log


def test_a_restored_backup_and_a_rebind_bring_everyone_back(own_server: Server, tmp_path) -> None:  # type: ignore[no-untyped-def]
    """The database is lost but for an old copy; the CA is still there."""
    if not own_server.database_url.startswith("sqlite"):
        pytest.skip("what is restored is the same; how is the database's matter")
    old = own_server.active_node()
    own_server.stop()
    copy = (own_server.folder / "node.db").read_bytes()
    own_server.start()
    old.url = own_server.url
    later = own_server.active_node()
    doc = tmp_path / "doc.yaml"
    doc.write_text("a: {}\n")
    own_server.cli("config", "set", "--node", str(old.node_id), str(doc))
    before = old.send("GET", "config").json()["generation"]
    own_server.stop()
    (own_server.folder / "node.db").write_bytes(copy)
    own_server.start()
    old.url = later.url = own_server.url
    assert old.heartbeat().status_code == 200
    refused = later.heartbeat()
    assert (refused.status_code, refused.json()["code"]) == (403, "certificate-refused")
    assert later.enroll().json()["code"] == "token-missing"
    assert later.enroll(own_server.token("--auto-approve")).status_code == 200
    assert later.heartbeat().status_code == 200
    # What is said anew is newer than what the node may have applied before.
    own_server.cli("config", "set", "--node", str(old.node_id), str(doc))
    assert old.send("GET", "config").json()["generation"] > before
    assert json.loads(own_server.cli("pools", "--json"))[0]["nodes"]["active"] == 2
