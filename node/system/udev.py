"""Udev's database, where there is one."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def block_properties(name: str) -> Mapping[str, str]:
    """Give udev's properties of a block device by its kernel name; empty without udev."""
    return _properties(lambda pyudev, context: pyudev.Devices.from_name(context, "block", name))


def properties_at(path: Path) -> Mapping[str, str]:
    """Give udev's properties of the device with this folder below /sys; empty without udev."""
    return _properties(lambda pyudev, context: pyudev.Devices.from_sys_path(context, str(path)))


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
