"""Groups of processes with limits of their own (cgroup v2), where the system lets us make them."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

_PLACES = (Path("/sys/fs/cgroup"), Path("/sys/fs/cgroup/unified"))
_GONE_S = 2.0


def make_group(name: str, limits: Mapping[str, str]) -> Path | None:
    """Make a group below the root with `limits` by file (`pids.max`); None where there is no cgroup v2.

    A limit whose controller isn't on here is passed over.
    """
    for place in _PLACES:
        # Only version 2 has this file, and one that can be killed at once is what a group is for.
        if not (place / "cgroup.procs").exists() or not (place / "cgroup.subtree_control").exists():
            continue
        group = place / name
        try:
            group.mkdir(exist_ok=True)
        except OSError:
            continue
        for file, value in limits.items():
            with suppress(OSError):
                (group / file).write_text(value, encoding="ascii")
        return group
    return None


def join_group(group: Path) -> bool:
    """Put this process into a group, with all that it will start."""
    try:
        (group / "cgroup.procs").write_text("0", encoding="ascii")
    except OSError:
        return False
    return True


def kill_group(group: Path) -> None:
    """Kill everything in a group at once (Linux 5.14 and newer; older ones know no such file)."""
    with suppress(OSError):
        (group / "cgroup.kill").write_text("1", encoding="ascii")


def remove_group(group: Path) -> None:
    """Remove a group; what is killed leaves it only when it is gone."""
    until = time.monotonic() + _GONE_S
    while True:
        try:
            group.rmdir()
        except FileNotFoundError:
            return
        except OSError:
            if time.monotonic() > until:
                return
            time.sleep(0.01)
        else:
            return
