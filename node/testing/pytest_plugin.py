"""pytest fixtures for plugin authors: `pytest_plugins = ["node.testing.pytest_plugin"]` in a conftest.py.

docs/writing-plugins.md shows each of them. Nothing here costs anything but for a test that asks for it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from node.model.inventory import Inventory
from node.testing.fake_system import FakeSystem
from node.testing.machines import machine, machine_names

if TYPE_CHECKING:
    from node.testing.vm_bench import VmBench
    from node.testing.workbench import Workbench

__all__ = ["any_machine", "fake_system", "inventory", "recorded_machine", "vm", "workbench"]

IMAGE = "NODECRUST_TEST_IMAGE"


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


@pytest.fixture
def inventory() -> Callable[..., Inventory]:
    """Build a machine of invented hardware; see `node.testing.inventories.build_inventory`."""
    from node.testing.inventories import build_inventory  # noqa: PLC0415 - see above

    return build_inventory


@pytest.fixture
def workbench() -> Callable[..., Workbench]:
    """Put a plugin, a module or an object, on the bench; see `node.testing.workbench.Workbench`."""
    from node.testing.workbench import Workbench  # noqa: PLC0415 - see above

    return Workbench


@pytest.fixture
def vm(tmp_path: Path) -> Iterator[Callable[..., Any]]:
    """Boot a built image in QEMU; see `node.testing.vm_bench.VmBench.boot`.

    The image is the folder that the environment variable NODECRUST_TEST_IMAGE names; without it, or without
    QEMU, the test is skipped.
    """
    import shutil  # noqa: PLC0415 - see above

    if not os.environ.get(IMAGE):
        pytest.skip(f"{IMAGE} names no built image")
    if not shutil.which("qemu-system-x86_64"):
        pytest.skip("qemu-system-x86_64 is not installed")
    from node.testing.vm_bench import VmBench  # noqa: PLC0415 - see above

    bench: VmBench = VmBench(Path(os.environ[IMAGE]), tmp_path)
    try:
        yield bench.boot
    finally:
        bench.close()
