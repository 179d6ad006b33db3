"""Udev's database and its queue of work, where there is a udev."""

from __future__ import annotations

import functools
import os
import stat
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from node.errors import NodeError
from node.model.system import Commands

_RUNNING = Path("/run/udev/control")
_SETTLE_S = 30.0
# A machine with so much to do that it is still not settled takes its time to end the program, too.
_SETTLE_END_S = 90.0
_NODE_S = 10.0
_PAUSE_S = 0.05


def block_properties(name: str) -> Mapping[str, str]:
    """Give udev's properties of a block device by its kernel name; empty without udev."""
    return _properties(lambda pyudev, context: pyudev.Devices.from_name(context, "block", name))


def properties_at(path: Path) -> Mapping[str, str]:
    """Give udev's properties of the device with this folder below /sys; empty without udev."""
    return _properties(lambda pyudev, context: pyudev.Devices.from_sys_path(context, str(path)))


def udev_is_running() -> bool:
    """Tell whether there is a udev whose events one can wait for."""
    return _RUNNING.exists()


def settle(commands: Commands) -> None:
    """Wait until udev has nothing more to do, or half a minute; at once where there is no udev.

    Whoever waits looks himself whether what he waits for is there.
    """
    if udev_is_running():
        command = ["udevadm", "settle", f"--timeout={_SETTLE_S:g}"]
        commands.run(command, timeout_s=_SETTLE_END_S, check=False)


def wait_for_node(node: str) -> None:
    """Wait some seconds for a block device to be there; NodeError where it doesn't come.

    When a disk was written, udev lets the kernel read its table once more, in a process that `udevadm settle`
    does not wait for: all its partitions go and come back meanwhile.
    """
    until = time.monotonic() + _NODE_S
    while not is_block_device(node):
        if time.monotonic() > until:
            raise NodeError(f"{node} is not there", mend="See whether the disk is still attached")
        time.sleep(_PAUSE_S)


def is_block_device(node: str) -> bool:
    """Tell whether a node is there and a block device."""
    try:
        return stat.S_ISBLK(os.stat(node).st_mode)  # noqa: PTH116 - one call says both
    except OSError:
        return False


def _properties(find: Any) -> Mapping[str, str]:
    try:
        import pyudev  # noqa: PLC0415 - takes time that only an inventory needs to spend

        device = find(pyudev, _context())
        return {str(key): str(value) for key, value in device.properties.items()}
    except Exception:
        return {}


@functools.cache
def _context() -> Any:
    """Give the one connection: each new one would run ldconfig to find the library."""
    import pyudev  # noqa: PLC0415 - as above

    return pyudev.Context()
