"""One cobbler for all tests, which change only what is their own."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cobbler.site import Cobbler, make_certificate, running


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.cobbler)
            item.add_marker(pytest.mark.timeout(170))
            if os.geteuid() != 0:
                item.add_marker(pytest.mark.skip(reason="a mount namespace needs root"))


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A server's key and its own certificate, in one file."""
    return make_certificate(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="session")
def cobbler(tmp_path_factory: pytest.TempPathFactory, certificate: Path) -> Iterator[Cobbler]:
    with running(tmp_path_factory.mktemp("cobbler"), certificate) as found:
        yield found


@pytest.fixture(scope="session")
def profile(cobbler: Cobbler, tmp_path_factory: pytest.TempPathFactory) -> str:
    cobbler.profile("lab", tmp_path_factory.mktemp("lab"))
    return "lab"
