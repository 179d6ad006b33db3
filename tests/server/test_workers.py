"""Several processes behind one port: one CA, one word of being ready, and none that outlives its parent."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from server.cli.main import run_command
from tests.server.postgres import Cluster
from tests.server.running import Server

WORKERS, NODES = 3, 8


@pytest.fixture
def several(postgres: Cluster, tmp_path: Path) -> Iterator[Server]:
    server = Server(tmp_path, postgres.new_database(), ("--workers", str(WORKERS)))
    server.start()
    yield server
    if server.is_running:
        assert server.stop() == 0, server.log
    assert "Traceback" not in server.log


def workers_of(server: Server) -> set[int]:
    assert server.process is not None
    pid = server.process.pid
    return {int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()}


def until(is_so: object) -> None:
    deadline = time.monotonic() + 30
    while not is_so():  # type: ignore[operator]
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_nodes_that_arrive_at_once_are_nodes_once(several: Server) -> None:
    assert len(workers_of(several)) == WORKERS
    assert [line for line in several.said if line.startswith("ready ")] == several.said[-1:]
    token = several.token("--uses", str(NODES), "--auto-approve")
    nodes = [several.node() for _ in range(NODES)]
    # Each three times, by whichever worker takes it.
    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(lambda node: node.enroll(token), nodes * 3))
        assert {answer.status_code for answer in answers} == {200}
        beats = list(pool.map(lambda node: node.heartbeat(), nodes))
    assert {answer.status_code for answer in beats} == {200}
    assert len(several.json("nodes", "list", "--state", "active")) == NODES
    assert several.json("token", "list")[0]["used"] == NODES
    assert len({answer.json()["node_id"] for answer in answers}) == NODES


def test_a_worker_that_is_killed_is_replaced(several: Server) -> None:
    before = workers_of(several)
    victim = min(before)
    os.kill(victim, signal.SIGKILL)
    until(lambda: len(workers_of(several) - {victim}) == WORKERS)
    node = several.node()
    assert node.enroll(several.token()).status_code == 202
    assert "another one takes its place" in several.log


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_them_all(several: Server, number: int) -> None:
    pids = workers_of(several)
    assert several.stop(number) == 0
    assert not [pid for pid in pids if Path(f"/proc/{pid}").exists()]


def test_none_outlives_its_parent(several: Server) -> None:
    pids = workers_of(several)
    several.stop(signal.SIGKILL)
    until(lambda: not [pid for pid in pids if Path(f"/proc/{pid}").exists()])


def test_sqlite_is_refused_and_nothing_is_made(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = tmp_path / "data"
    listen = ["--listen", "127.0.0.1:0"]
    assert run_command(["run", "--data", str(data), "--workers", "2", *listen]) == 2
    assert "need PostgreSQL" in capsys.readouterr().err
    assert not data.exists()
