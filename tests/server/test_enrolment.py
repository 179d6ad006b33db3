"""Becoming a node: with a token, by an operator, once."""

from __future__ import annotations

import hashlib
import socket
import ssl
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from node.model.fingerprint import shown
from server.certificates import grouped
from tests.server.running import Server


def test_the_ca_is_the_one_of_the_fingerprint(server: Server) -> None:
    with httpx.Client(verify=False, trust_env=False) as client:
        pem = client.get(f"{server.url}/v1/ca").content
    der = ssl.PEM_cert_to_DER_cert(pem.decode())

    shown = server.json("ca", "show")
    assert hashlib.sha256(der).hexdigest() == shown["fingerprint"]
    assert f"CA fingerprint {shown['fingerprint']}" in server.said


def test_no_plain_http(server: Server) -> None:
    host, port = server.url.removeprefix("https://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as plain:
        plain.sendall(b"GET /v1/ca HTTP/1.1\r\nHost: x\r\n\r\n")
        assert b"HTTP/1.1 200" not in plain.recv(100)


def test_a_node_waits_for_its_approval(server: Server) -> None:
    node = server.node()
    answer = node.enroll(server.token("--pool", "racks"))
    assert answer.status_code == 202
    said = answer.json()
    assert said["state"] == "pending"
    assert said["key_fingerprint"] == node.fingerprint
    assert said["retry_after_s"] > 0
    assert "certificate" not in said

    again = node.enroll()
    assert (again.status_code, again.json()["node_id"]) == (202, said["node_id"])

    server.cli("nodes", "approve", said["node_id"])
    approved = node.enroll().json()
    assert (approved["state"], approved["node_id"]) == ("approved", said["node_id"])
    assert server.kinds(node) == ["enrolled", "approved", "certificate-issued"]
    assert server.json("nodes", "show", said["node_id"])["pool"] == "racks"


def test_the_certificate_is_the_nodes_own_and_short(server: Server) -> None:
    node = server.node()
    answer = node.enroll(server.token("--auto-approve")).json()
    certificate = x509.load_pem_x509_certificate(answer["certificate"].encode())
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value

    assert certificate.subject.rfc4514_string() == f"CN={node.node_id}"
    assert names.get_values_for_type(x509.UniformResourceIdentifier) == [f"urn:uuid:{node.node_id}"]
    assert certificate.public_key() == node.key.public_key()
    life = certificate.not_valid_after_utc - datetime.now(UTC)
    assert timedelta(days=6) < life <= timedelta(days=7)
    assert certificate.not_valid_before_utc < datetime.now(UTC) - timedelta(minutes=4)
    assert answer["not_after"] == certificate.not_valid_after_utc.isoformat().replace("+00:00", "Z")


def test_the_same_key_again_is_the_same_node_and_no_use(server: Server) -> None:
    token = server.token("--auto-approve", "--uses", "2")
    node = server.node()
    first = node.enroll(token).json()
    assert node.enroll(token).json() == first
    assert node.enroll().json() == first
    assert server.node().enroll(token).status_code == 200
    refused = server.node().enroll(token)
    assert (refused.status_code, refused.json()["code"]) == (403, "token-used-up")


def test_enrolling_again_with_an_approving_token_approves_nothing(server: Server) -> None:
    node = server.node()
    node.enroll(server.token())
    answer = node.enroll(server.token("--auto-approve"))
    assert answer.status_code == 202


@pytest.mark.parametrize(
    ("arguments", "status", "code"),
    [
        (["--bind-uuid", "8d3a1f42-9d11-4f19-8a67-0242ac110002"], 403, "token-wrong-machine"),
        (["--bind-mac", "52-54-00-AA-BB-CC"], 403, "token-wrong-machine"),
    ],
)
def test_a_token_of_another_machine(server: Server, arguments: list[str], status: int, code: str) -> None:
    answer = server.node().enroll(server.token(*arguments))
    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_a_bound_token_lets_its_machine_in(server: Server) -> None:
    node = server.node()
    bound = ["--bind-mac", node.identity["macs"][0].upper(), "--bind-uuid", node.identity["product_uuid"]]
    assert node.enroll(server.token(*bound)).status_code == 202


def test_the_pool_is_the_token_s_to_give(server: Server) -> None:
    node, token = server.node(), server.token("--pool", "racks")
    answer = node.enroll(token, pool="lab")
    assert (answer.status_code, answer.json()["code"]) == (403, "token-wrong-pool")
    assert node.enroll(token, pool="../racks").status_code == 422
    # None of these used it up.
    assert node.enroll(token, pool="racks").status_code == 202
    assert server.json("nodes", "show", str(node.node_id))["pool"] == "racks"
    # What it is to be counts where it becomes a node; who knows it already asks for nothing new.
    assert node.enroll(pool="lab").status_code == 202
    assert server.json("nodes", "show", str(node.node_id))["pool"] == "racks"


def test_tokens_that_are_over(own_server: Server) -> None:
    server = own_server
    answer = server.node().enroll()
    assert (answer.status_code, answer.json()["code"]) == (401, "token-missing")
    answer = server.node().enroll("nct_" + "x" * 43)
    assert (answer.status_code, answer.json()["code"]) == (401, "token-unknown")

    made = server.json("token", "create", "--uses", "5")
    server.cli("token", "revoke", made["id"])
    answer = server.node().enroll(made["token"])
    assert (answer.status_code, answer.json()["code"]) == (401, "token-unknown")

    made = server.json("token", "create", "--ttl", "1s")
    with server.database() as database, database.write() as session:
        from server.models import Token

        session.get_one(Token, made["id"]).expires_at = datetime.now(UTC) - timedelta(seconds=1)
    answer = server.node().enroll(made["token"])
    assert (answer.status_code, answer.json()["code"]) == (403, "token-expired")
    kinds = [event["kind"] for event in server.events()]
    assert {"token-missing", "token-unknown", "token-expired"} <= set(kinds)


@pytest.mark.parametrize(
    "identity",
    [
        {"product_uuid": "00000000-0000-0000-0000-000000000000", "serial": None, "macs": []},
        {"product_uuid": "03000200-0400-0500-0006-000700080009", "serial": "Default string", "macs": []},
        {"product_uuid": "", "vendor": "ACME", "serial": "0", "macs": ["00:00:00:00:00:00"]},
        {"product_uuid": "Not Settable", "serial": "To Be Filled By O.E.M.", "macs": ["02:42:ac:11:00:02"]},
    ],
)
def test_machines_that_nothing_tells_apart(server: Server, identity: dict[str, object]) -> None:
    node = server.node()
    node.identity |= identity
    if identity["product_uuid"] == "Not Settable":
        answer = node.enroll(server.token())
        assert (answer.status_code, answer.json()["code"]) == (400, "bad-identity")
        node.identity["product_uuid"] = None
    answer = node.enroll(server.token())
    assert (answer.status_code, answer.json()["code"]) == (400, "identity-too-weak")


def test_weaker_names_of_a_machine_count_where_it_has_no_better(server: Server) -> None:
    node = server.node(serial=None)
    node.identity["product_uuid"] = "ffffffff-ffff-ffff-ffff-ffffffffffff"
    assert node.enroll(server.token()).status_code == 202

    other = server.node(serial=None, macs=[server.node().identity["macs"][0], node.identity["macs"][0]])
    other.identity["product_uuid"] = None
    answer = other.enroll(server.token())
    assert (answer.status_code, answer.json()["code"]) == (409, "machine-known")


def _csr(key, algorithm=None):  # type: ignore[no-untyped-def]
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
    request = builder.sign(key, algorithm or hashes.SHA256())
    from cryptography.hazmat.primitives.serialization import Encoding

    return request.public_bytes(Encoding.PEM).decode()


def test_requests_that_prove_no_good_key(server: Server) -> None:
    token = server.token("--uses", "10")
    node = server.node()
    good = node.csr()
    lines = good.splitlines()
    # The last bytes are the signature.
    tail = lines[-2]
    flipped = ("B" if tail[4] == "A" else "A").join((tail[:4], tail[5:]))
    forged = "\n".join([*lines[:-2], flipped, lines[-1]])
    for csr in (
        "",
        "no PEM",
        good[:100],
        forged,
        _csr(rsa.generate_private_key(public_exponent=65537, key_size=2048)),
        _csr(ec.generate_private_key(ec.SECP384R1())),
    ):
        answer = node.enroll(token, csr=csr)
        assert (answer.status_code, answer.json()["code"]) == (400, "bad-csr"), csr
    assert node.enroll(token).status_code == 202


@pytest.mark.parametrize("keys", ["same", "different"])
def test_many_posts_at_once_make_one_node(server: Server, keys: str) -> None:
    token = server.token("--uses", "20", "--auto-approve")
    first = server.node()
    nodes = [first]
    for _ in range(11):
        key = first.key if keys == "same" else None
        node = server.node(key=key, product_uuid=first.identity["product_uuid"])
        nodes.append(node)
    with ThreadPoolExecutor(len(nodes)) as pool:
        answers = list(pool.map(lambda node: node.enroll(token), nodes))

    made = {answer.json()["node_id"] for answer in answers if answer.status_code == 200}
    assert len(made) == 1
    known = [node for node in server.json("nodes", "list")
             if node["product_uuid"] == first.identity["product_uuid"]]  # fmt: skip
    assert len(known) == 1
    rest = sorted(answer.status_code for answer in answers)
    assert rest == ([200] * 12 if keys == "same" else [200] + [409] * 11)
    used = next(entry for entry in server.json("token", "list") if entry["uses"] == 20 and entry["used"])
    assert used["used"] == 1


def test_one_key_many_times_at_once_with_a_single_use(server: Server) -> None:
    token = server.token("--uses", "1", "--auto-approve")
    node = server.node()
    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(lambda _: node.enroll(token), range(12)))
    assert [answer.status_code for answer in answers] == [200] * 12
    assert len({answer.json()["node_id"] for answer in answers}) == 1


def test_a_single_use_is_used_once_by_many_at_once(server: Server) -> None:
    token = server.token("--uses", "1")
    nodes = [server.node() for _ in range(8)]
    with ThreadPoolExecutor(8) as pool:
        codes = sorted(answer.status_code for answer in pool.map(lambda node: node.enroll(token), nodes))
    assert codes == [202] + [403] * 7


def test_another_key_waits_for_an_operator(server: Server) -> None:
    old = server.active_node()
    new = server.node(product_uuid=old.identity["product_uuid"])
    answer = new.enroll(server.token("--auto-approve"))
    assert (answer.status_code, answer.json()["code"]) == (409, "machine-known")
    assert old.heartbeat().status_code == 200
    assert server.json("nodes", "show", old.node_id)["refused_key"] == new.fingerprint

    said = server.cli("nodes", "rebind", old.node_id)
    assert new.fingerprint[:2] + ":" in said
    refused = old.heartbeat()
    assert (refused.status_code, refused.json()["code"]) == (403, "certificate-refused")
    assert new.enroll().json()["node_id"] == old.node_id
    assert new.heartbeat().status_code == 200
    assert [kind for kind in server.kinds(old) if kind in ("other-key", "rebound")] == [
        "other-key",
        "rebound",
    ]
    # The old key is not the node's any more, and the machine is known.
    assert old.enroll().status_code == 401
    assert old.enroll(server.token()).status_code == 409


def test_a_rebind_takes_the_key_that_was_compared(server: Server) -> None:
    old = server.active_node()
    thief, new = (server.node(product_uuid=old.identity["product_uuid"]) for _ in range(2))
    new.enroll(server.token())
    thief.enroll(server.token())
    assert grouped(thief.fingerprint) in server.cli("nodes", "show", old.node_id)
    # As the node's console shows it.
    server.cli("nodes", "rebind", old.node_id, "--key", shown(new.fingerprint))
    assert thief.enroll().status_code == 401
    assert new.enroll().status_code == 200


def test_a_copied_disk_is_seen_once(server: Server) -> None:
    node = server.active_node()
    copy = server.node(key=node.key)
    for _ in range(3):
        assert copy.enroll().json()["node_id"] == node.node_id
        assert node.enroll().status_code == 200
    told = [event for event in server.events(node) if event["kind"] == "other-machine"]
    assert [copy.identity["product_uuid"] in event["words"] for event in told] == [True]


def test_rejected_and_retired(server: Server) -> None:
    node = server.node()
    node.enroll(server.token())
    server.cli("nodes", "reject", node.node_id)
    answer = node.enroll(server.token("--auto-approve"))
    assert (answer.status_code, answer.json()["code"]) == (403, "retired")
    assert "retired" in server.cli("nodes", "approve", node.node_id, code=2)

    active = server.active_node()
    server.cli("nodes", "retire", active.node_id)
    answer = active.heartbeat()
    assert (answer.status_code, answer.json()["code"]) == (403, "retired")
    assert active.enroll().json()["code"] == "retired"
    # The machine comes back as another node, if somebody gives it a token.
    again = server.node(product_uuid=active.identity["product_uuid"])
    assert again.enroll(server.token()).status_code == 202
    assert again.node_id != active.node_id
