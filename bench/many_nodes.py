"""Simulated nodes that arrive at once, each with a key, a request and a handshake of its own.

They are as patient as a real node: who waits too long, or is told to come again, does so after a time that
doubles. For `registration`.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import resource
import ssl
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

# As node.plugins.registration.wire and node.agent.standings have them.
_CONNECT_S, _READ_S = 10.0, 30.0
_FIRST_S, _MOST_S, _JITTER = 10.0, 900.0, 0.25
_AGAIN = (b"408", b"429", b"503")
# A port of one address is not free again at once, and all addresses of 127/8 are this machine.
_ADDRESSES = 50


@dataclass
class SimulatedNode:
    """A machine that wants to be a node; `context` has its certificate once it is one."""

    number: int
    key: ec.EllipticCurvePrivateKey
    body: bytes
    context: ssl.SSLContext
    node_id: str = ""
    certificate: str = ""


@dataclass
class Arrival:
    """What came of many that arrived at once: how long each waited until it was done, in seconds."""

    waits: list[float] = field(default_factory=list)
    came_again: int = 0

    @property
    def rate(self) -> float:
        """How many were done a second, until the last one was."""
        return len(self.waits) / max(self.waits)

    @property
    def median_s(self) -> float:
        """How long it took until half of them were done."""
        return sorted(self.waits)[len(self.waits) // 2]


class _ComeAgainError(Exception):
    pass


def make_nodes(number: int, ca: Path) -> list[SimulatedNode]:
    """Make so many; none has a certificate yet, so that they can share what they know of the server."""
    _allow_files(number)
    context = ssl.create_default_context(cafile=str(ca))
    return [_node(each, context) for each in range(number)]


def enrol_all(nodes: Sequence[SimulatedNode], base: str, token: str) -> Arrival:
    """Have all of them enrol, from the same moment on."""
    headers = f"Authorization: Bearer {token}\r\n" if token else ""

    async def enrol(node: SimulatedNode) -> None:
        answer = await _post(base, node, "/v1/enroll", node.body, headers)
        node.node_id = answer["node_id"]
        node.certificate = answer.get("certificate", "")

    return asyncio.run(_arrive(enrol, nodes))


def give_certificates(nodes: Sequence[SimulatedNode], ca: Path, shown: Path, any_other: Path) -> None:
    """Have them show their certificates from now on; one that got none shows `any_other` of the same CA.

    `shown` is where each is written for a moment, since Python reads them from files; the last one stays.
    """
    for node in nodes:
        node.context = ssl.create_default_context(cafile=str(ca))
        if node.certificate:
            pem = node.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
            shown.write_bytes(pem + node.certificate.encode())
        node.context.load_cert_chain(shown if node.certificate else any_other)


def hear_all(nodes: Sequence[SimulatedNode], base: str) -> Arrival:
    """Have all of them send a heartbeat, from the same moment on."""

    async def beat(node: SimulatedNode) -> None:
        content = {
            "boot_id": "b",
            "uptime_s": 1,
            "time": datetime.now(UTC).isoformat(),
            "state": {"health": "ok"},
        }
        await _post(base, node, f"/v1/nodes/{node.node_id}/heartbeat", json.dumps(content).encode(), "")

    return asyncio.run(_arrive(beat, nodes))


async def _arrive(
    work: Callable[[SimulatedNode], Awaitable[None]], nodes: Sequence[SimulatedNode]
) -> Arrival:
    arrival = Arrival()
    start = time.perf_counter()

    async def one(node: SimulatedNode) -> None:
        failures = 0
        while True:
            try:
                await work(node)
            except (_ComeAgainError, OSError, TimeoutError, asyncio.IncompleteReadError):
                arrival.came_again += 1
                wait_s = min(_FIRST_S * 2.0**failures, _MOST_S)
                failures += 1
                await asyncio.sleep(wait_s * random.uniform(1 - _JITTER, 1 + _JITTER))
            else:
                arrival.waits.append(time.perf_counter() - start)
                return

    async with asyncio.TaskGroup() as group:
        for node in nodes:
            group.create_task(one(node))
    return arrival


async def _post(base: str, node: SimulatedNode, path: str, body: bytes, headers: str) -> dict[str, str]:
    host, port = base.removeprefix("https://").split(":")
    from_here = (f"127.0.1.{1 + node.number % _ADDRESSES}", 0)
    async with asyncio.timeout(_CONNECT_S):
        reader, writer = await asyncio.open_connection(
            host, int(port), ssl=node.context, local_addr=from_here
        )
    head = (
        f"POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n{headers}"
        f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    )
    try:
        async with asyncio.timeout(_READ_S):
            writer.write(head.encode() + body)
            answer = await reader.read(-1)
    finally:
        writer.close()
        with contextlib.suppress(ssl.SSLError, OSError, TimeoutError):
            async with asyncio.timeout(1):
                await writer.wait_closed()
    start, _, content = answer.partition(b"\r\n\r\n")
    if not start or start.split()[1] in _AGAIN:
        raise _ComeAgainError
    if start.split()[1] not in (b"200", b"202"):
        raise AssertionError(answer)
    found: dict[str, str] = json.loads(content)
    return found


def _node(number: int, context: ssl.SSLContext) -> SimulatedNode:
    key = ec.generate_private_key(ec.SECP256R1())
    csr = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([])).sign(key, hashes.SHA256())
    body = {
        "protocol": 1,
        "csr": csr.public_bytes(Encoding.PEM).decode(),
        "identity": {"product_uuid": str(uuid4()), "vendor": "ACME", "serial": uuid4().hex, "macs": []},
        "name": "bench",
    }
    return SimulatedNode(number, key, json.dumps(body).encode(), context)


def _allow_files(number: int) -> None:
    """Let this process have so many connections open; what it starts inherits that."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < number + 100:
        raise SystemExit(f"{number} nodes need as many open files, and {hard} are allowed: see ulimit -Hn")
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
