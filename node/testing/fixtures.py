"""pytest fixtures for plugin authors: `pytest_plugins = ["node.testing.fixtures"]` in a conftest.py."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from node.model.inventory import Inventory
from node.testing.fake_system import FakeSystem
from node.testing.machines import machine, machine_names

__all__ = ["any_machine", "fake_system", "recorded_machine"]


@pytest.fixture
def fake_system() -> FakeSystem:
    """A machine that only remembers what was asked of it: a server with two NVMe disks, UEFI."""
    return FakeSystem(machine("server-nvme-pair"))


@pytest.fixture
def recorded_machine() -> Callable[[str], Inventory]:
    """Give a recorded machine by its name."""
    return machine


@pytest.fixture(params=machine_names())
def any_machine(request: pytest.FixtureRequest) -> Inventory:
    """Every recorded machine in turn."""
    return machine(request.param)
