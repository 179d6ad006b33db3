"""Enrolments and heartbeats a second of many nodes that arrive at once: real TLS, keys and requests."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import signal
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from bench.measure import Report, Row
from tests.server.postgres import cluster

_NODES = int(os.environ.get("BENCH_NODES", "1000"))
# So many connections at a time: what a listening socket holds, and the client's share of the processors.
_AT_ONCE = 64
# 10,000 nodes, one heartbeat a minute each.
_WANTED = 10_000 / 60


@dataclass
class _Machine:
    key: ec.EllipticCurvePrivateKey
    body: bytes
    context: ssl.SSLContext
    node_id: str = ""


@dataclass(frozen=True)
class _Figures:
    enrolments: float
    heartbeats: float
    memory_mib: float


def measure() -> Report:
    """Let the same machines arrive at both databases and at the bare endpoint."""
    with tempfile.TemporaryDirectory(dir="/var/tmp", prefix="nodecrust-bench-") as name:
        folder = Path(name)
        sqlite = _ours(folder / "sqlite", f"sqlite:///{folder / 'node.db'}")
        with cluster(durable=True) as postgres:
            postgresql = _ours(folder / "postgresql", postgres.new_database())
        bare = _bare(folder / "bare", folder / "sqlite" / "data" / "ca")
    rows = []
    for database, ours in (("SQLite", sqlite), ("PostgreSQL", postgresql)):
        rows += [
            _row(f"enrolments, {database}", ours.enrolments, bare.enrolments),
            _row(f"heartbeats, {database}", ours.heartbeats, bare.heartbeats, aim=_WANTED),
            Row(
                f"memory of the server, {database}",
                f"{ours.memory_mib:.0f} MiB",
                f"{bare.memory_mib:.0f} MiB",
                f"{ours.memory_mib / bare.memory_mib:.2f}",
                "",
            ),
        ]
    note = (
        f"{_NODES} nodes arrive at once, {_AT_ONCE} connections at a time, each with a handshake of its own;"
        " heartbeats show the node's certificate. Against a bare FastAPI endpoint with the same TLS, HTTP"
        " and bodies and no database. Clients and server share the machine; every commit is on the disk."
        " Checked: no node lost, none double, the token used once a node."
    )
    return Report("Registration", "make bench ONLY=registration", note, tuple(rows))


def _row(what: str, ours: float, bare: float, aim: float | None = None) -> Row:
    words = f"10,000 nodes need {aim:.0f}/s" if aim else ""
    return Row(what, f"{ours:.0f}/s", f"bare {bare:.0f}/s", f"{ours / bare:.2f}", words)


def _ours(folder: Path, url: str) -> _Figures:
    folder.mkdir()
    where = ["--data", str(folder / "data"), "--database", url]
    with _server(["-m", "server", "run", "--listen", "127.0.0.1:0", *where], folder) as (base, pid):
        made = _cli("token", "create", "--uses", str(_NODES), "--auto-approve", "--json", *where)
        figures = _arrive(folder, base, folder / "data" / "ca" / "ca.crt", json.loads(made)["token"], pid)
        nodes = json.loads(_cli("nodes", "list", "--state", "active", "--json", *where))
        tokens = json.loads(_cli("token", "list", "--json", *where))
    fingerprints = {node["key_fingerprint"] for node in nodes}
    if not len(nodes) == len(fingerprints) == tokens[0]["used"] == _NODES:
        raise AssertionError(f"{len(nodes)} nodes, {len(fingerprints)} keys, token used {tokens[0]['used']}")
    return figures


def _bare(folder: Path, ca: Path) -> _Figures:
    folder.mkdir()
    with _server(["-m", "bench.bare_endpoint", str(ca)], folder) as (base, pid):
        return _arrive(folder, base, ca / "ca.crt", "", pid)


def _arrive(folder: Path, base: str, ca: Path, token: str, pid: int) -> _Figures:
    host, port = base.removeprefix("https://").split(":")
    machines = [_machine(ca) for _ in range(_NODES)]

    async def enrol(machine: _Machine) -> None:
        headers = f"Authorization: Bearer {token}\r\n" if token else ""
        answer = await _post(host, int(port), machine.context, "/v1/enroll", machine.body, headers)
        machine.node_id = answer["node_id"]
        pem = machine.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        path = folder / "node.pem"
        if "certificate" in answer:
            path.write_bytes(pem + answer["certificate"].encode())
        # The bare one has no certificates of its own: any of the CA's will do.
        with contextlib.suppress(FileNotFoundError):
            machine.context.load_cert_chain(path if path.exists() else folder.parent / "sqlite" / "node.pem")

    async def beat(machine: _Machine) -> None:
        content = {
            "boot_id": "b",
            "uptime_s": 1,
            "time": datetime.now(UTC).isoformat(),
            "state": {"health": "good"},
        }
        path = f"/v1/nodes/{machine.node_id}/heartbeat"
        await _post(host, int(port), machine.context, path, json.dumps(content).encode(), "")

    enrolments = asyncio.run(_rate(enrol, machines))
    heartbeats = asyncio.run(_rate(beat, machines))
    status = Path(f"/proc/{pid}/status").read_text()
    peak = re.search(r"VmHWM:\s+(\d+) kB", status)
    assert peak
    return _Figures(enrolments, heartbeats, int(peak[1]) / 1024)


async def _rate(work: Callable[[_Machine], Awaitable[None]], machines: list[_Machine]) -> float:
    free = asyncio.Semaphore(_AT_ONCE)

    async def one(machine: _Machine) -> None:
        async with free:
            await work(machine)

    start = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for machine in machines:
            group.create_task(one(machine))
    return len(machines) / (time.perf_counter() - start)


def _machine(ca: Path) -> _Machine:
    key = ec.generate_private_key(ec.SECP256R1())
    csr = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([])).sign(key, hashes.SHA256())
    body = {
        "protocol": 1,
        "csr": csr.public_bytes(Encoding.PEM).decode(),
        "identity": {"product_uuid": str(uuid4()), "vendor": "ACME", "serial": uuid4().hex, "macs": []},
        "name": "bench",
    }
    return _Machine(key, json.dumps(body).encode(), ssl.create_default_context(cafile=str(ca)))


async def _post(
    host: str, port: int, context: ssl.SSLContext, path: str, body: bytes, headers: str
) -> dict[str, str]:
    reader, writer = await asyncio.open_connection(host, port, ssl=context)
    head = (
        f"POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n{headers}"
        f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    )
    writer.write(head.encode() + body)
    answer = await reader.read(-1)
    writer.close()
    with contextlib.suppress(ssl.SSLError, ConnectionError):
        await writer.wait_closed()
    start, _, content = answer.partition(b"\r\n\r\n")
    if start.split()[1] not in (b"200", b"202"):
        raise AssertionError(answer)
    found: dict[str, str] = json.loads(content)
    return found


@contextlib.contextmanager
def _server(arguments: list[str], folder: Path) -> Iterator[tuple[str, int]]:
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, *arguments], stdout=subprocess.PIPE, stderr=log, text=True
        )
    try:
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith("ready "):
                break
        else:
            raise AssertionError((folder / "log").read_text())
        yield line.split()[1], process.pid
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


def _cli(*arguments: str) -> str:
    command = [sys.executable, "-m", "server", *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout
