"""The real server over TLS on loopback; each test runs on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.server.forked import ForkedServer
from tests.server.postgres import Cluster, cluster
from tests.server.running import Server

DATABASES = ("sqlite", "postgresql")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.server)
            item.add_marker(pytest.mark.timeout(600))


@pytest.fixture(scope="session")
def postgres() -> Iterator[Cluster]:
    with cluster() as found:
        yield found


@pytest.fixture(scope="session", params=DATABASES)
def database_url(request: pytest.FixtureRequest) -> Callable[[Path], str]:
    """Give what makes the URL of a new database."""
    if request.param == "sqlite":
        return lambda folder: f"sqlite:///{folder / 'node.db'}"
    found = request.getfixturevalue("postgres")
    return lambda folder: found.new_database()


@pytest.fixture(scope="session")
def server(database_url: Callable[[Path], str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that all tests share, which change only what is their own."""
    folder = tmp_path_factory.mktemp("server")
    # What they are refused within a minute is more than one address may be.
    yield from _running(Server(folder, database_url(folder), ("--refusals", "100000")))


@pytest.fixture
def own_server(database_url: Callable[[Path], str], tmp_path: Path) -> Iterator[Server]:
    """A server of this test alone, with quick heartbeats."""
    quick = ("--heartbeat", "1s", "--patience", "3s")
    yield from _running(ForkedServer(tmp_path, database_url(tmp_path), quick))


def _running(found: Server) -> Iterator[Server]:
    found.start()
    yield found
    if found.is_running:
        assert found.stop() == 0, found.log
    assert "Traceback" not in found.log
