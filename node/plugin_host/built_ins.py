"""The built-in plugins by name: loaded in this order, in process; nothing else treats them specially."""

from __future__ import annotations

BUILT_INS = (
    "node.plugins.install",
    "node.plugins.storage",
    "node.plugins.payload",
    "node.plugins.bootloader",
    "node.plugins.network",
    "node.plugins.access",
    "node.plugins.locale",
    "node.plugins.logging",
    "node.plugins.kernel",
    "node.plugins.state",
    "node.plugins.virtualization",
    "node.plugins.registration",
    "node.plugins.cobbler",
)


def short_name(module: str) -> str:
    """Give a built-in's name: the last part of its module's."""
    return module.rpartition(".")[2]


NAMES = tuple(short_name(module) for module in BUILT_INS)
