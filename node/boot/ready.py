"""Tells the serial consoles in one line that the node is up and how it is. Run by nodecrust-ready."""

from __future__ import annotations

import sys

from node.boot.consoles import active_consoles, write_line
from node.boot.issue import settle_addresses
from node.model.status import NodeStatus, faults
from node.system.commands import LiveCommands
from node.system.status import read_status

# What scripts and tests wait for; it never changes.
PREFIX = "NODECRUST-READY"


def ready_line(status: NodeStatus) -> str:
    """Give the line: `NODECRUST-READY slot=a version=1.0 health=ok`, or `health=bad: why`."""
    found = faults(status)
    health = f"bad: {'; '.join(found)}" if found else "ok"
    slot = (status.image.slot if status.image else "") or "none"
    version = (status.image.version if status.image else "") or "unknown"
    return f"{PREFIX} slot={slot.lower()} version={version} health={' '.join(health.split())}"


def main() -> int:
    """Look and tell."""
    # A lease that is on its way is no fault.
    settle_addresses()
    line = ready_line(read_status(LiveCommands()))
    print(line)
    # On a screen it would be in the way of who logs in. The line of a prompt is ended first.
    write_line(f"\n{line}", (name for name in active_consoles() if not name.removeprefix("tty").isdigit()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
