"""Enrolments and heartbeats a second of many nodes that arrive at once: real TLS, keys and requests."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bench.many_nodes import Arrival, enrol_all, give_certificates, hear_all, make_nodes
from bench.measure import Report, Row
from tests.server.postgres import cluster

_SIZES = tuple(int(word) for word in os.environ.get("BENCH_NODES", "1000,10000").split(","))
_WORKERS = max(2, os.cpu_count() or 2)
# 10,000 nodes, one heartbeat a minute each.
_WANTED = 10_000 / 60


@dataclass(frozen=True)
class _Figures:
    enrolments: Arrival
    heartbeats: Arrival
    memory_mib: float


def measure() -> Report:
    """Let as many machines arrive at each database and at the bare endpoint, a few and many."""
    rows: list[Row] = []
    for number in _SIZES:
        with tempfile.TemporaryDirectory(dir="/var/tmp", prefix="nodecrust-bench-") as name:
            rows += _rows(number, *_measured(number, Path(name)))
    note = (
        "So many nodes arrive at the same moment, each with a handshake, a key and a request of its own, as"
        " patient as a real node (10 s for a connection, 30 s for an answer, then again after 10 s, 20 s ..."
        " by chance); heartbeats show the node's certificate. A rate is all of them by the time until the"
        " last one was done. Against a bare FastAPI endpoint with the same TLS, HTTP and bodies and no"
        " database. Clients and server share the machine; every commit is on the disk. Memory is the peak of"
        " the server's processes, what they share counted in each. Checked each time: no node lost, none"
        " double, the token used once a node."
    )
    return Report("Registration", "make bench ONLY=registration", note, tuple(rows))


def _measured(number: int, folder: Path) -> tuple[dict[str, _Figures], _Figures]:
    _say(f"{number} nodes, SQLite")
    found = {"SQLite": _ours(number, folder / "sqlite", f"sqlite:///{folder / 'node.db'}")}
    with cluster(durable=True) as postgres:
        _say(f"{number} nodes, PostgreSQL")
        found["PostgreSQL"] = _ours(number, folder / "postgresql", postgres.new_database())
        many = ("--workers", str(_WORKERS))
        name = f"PostgreSQL, {_WORKERS} workers"
        _say(f"{number} nodes, {name}")
        found[name] = _ours(number, folder / "workers", postgres.new_database(), *many)
    _say(f"{number} nodes, the bare endpoint")
    return found, _bare(number, folder / "bare", folder / "sqlite" / "data" / "ca")


def _rows(number: int, found: dict[str, _Figures], bare: _Figures) -> Iterator[Row]:
    for database, ours in found.items():
        what = f"{number} {{}}, {database}"
        yield _row(what.format("enrolments"), ours.enrolments, bare.enrolments)
        yield _row(what.format("heartbeats"), ours.heartbeats, bare.heartbeats, aim=_WANTED)
        yield Row(
            f"memory with {number}, {database}",
            f"{ours.memory_mib:.0f} MiB",
            f"bare {bare.memory_mib:.0f} MiB",
            f"{ours.memory_mib / bare.memory_mib:.2f}",
            "",
        )


def _row(what: str, ours: Arrival, bare: Arrival, aim: float | None = None) -> Row:
    words = f"10,000 nodes need {aim:.0f}/s" if aim else ""
    met = ours.rate >= aim if aim else None
    return Row(what, _words(ours), f"bare {_words(bare)}", f"{ours.rate / bare.rate:.2f}", words, met)


def _words(arrival: Arrival) -> str:
    again = f", {arrival.came_again} came again" if arrival.came_again else ""
    return (
        f"{arrival.rate:.0f}/s (half in {arrival.median_s:.1f} s, all in {max(arrival.waits):.1f} s{again})"
    )


def _ours(number: int, folder: Path, url: str, *options: str) -> _Figures:
    folder.mkdir()
    where = ["--data", str(folder / "data"), "--database", url]
    with _server(["-m", "server", "run", "--listen", "127.0.0.1:0", *where, *options], folder) as (base, pid):
        made = _cli("token", "create", "--uses", str(number), "--auto-approve", "--json", *where)
        token = json.loads(made)["token"]
        figures = _arrive(number, folder, base, folder / "data" / "ca" / "ca.crt", token, pid)
        nodes = json.loads(_cli("nodes", "list", "--state", "active", "--json", *where))
        tokens = json.loads(_cli("token", "list", "--json", *where))
    fingerprints = {node["key_fingerprint"] for node in nodes}
    if not len(nodes) == len(fingerprints) == tokens[0]["used"] == number:
        raise AssertionError(f"{len(nodes)} nodes, {len(fingerprints)} keys, token used {tokens[0]['used']}")
    return figures


def _bare(number: int, folder: Path, ca: Path) -> _Figures:
    folder.mkdir()
    with _server(["-m", "bench.bare_endpoint", str(ca)], folder) as (base, pid):
        return _arrive(number, folder, base, ca / "ca.crt", "", pid)


def _arrive(number: int, folder: Path, base: str, ca: Path, token: str, pid: int) -> _Figures:
    nodes = make_nodes(number, ca)
    enrolments = enrol_all(nodes, base, token)
    _say(f"  enrolled: {_words(enrolments)}")
    # The bare one has no certificates of its own: any of the CA's will do.
    give_certificates(nodes, ca, folder / "shown.pem", folder.parent / "sqlite" / "shown.pem")
    heartbeats = hear_all(nodes, base)
    figures = _Figures(enrolments, heartbeats, _peak_mib(pid))
    _say(f"  heard: {_words(heartbeats)}; {figures.memory_mib:.0f} MiB")
    return figures


def _say(words: str) -> None:
    print(f"  {words}", flush=True)  # many minutes pass with 10,000


def _peak_mib(pid: int) -> float:
    """Give the peak of a process and of those that it started."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    status = [Path(f"/proc/{each}/status").read_text() for each in (str(pid), *children)]
    return sum(int(peak[1]) for text in status if (peak := re.search(r"VmHWM:\s+(\d+) kB", text))) / 1024


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
        process.wait(60)


def _cli(*arguments: str) -> str:
    command = [sys.executable, "-m", "server", *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout
