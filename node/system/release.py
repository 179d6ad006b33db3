"""Takes down what the old contents of a disk brought up by themselves: swap, LVM, RAID."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from node.errors import NodeError
from node.model.system import Commands, Mounts
from node.system.block import BlockDevices, User
from node.system.device import exclusive
from node.system.udev import settle

# Rounds of looking again, since what is taken down can uncover something, or udev bring it back.
_ROUNDS = 5
_PAUSE_S = 0.5
# Where a live system of ours mounts the partitions of an earlier installation by itself.
_OUR_PLACES = (Path("/config"), Path("/var/log"), Path("/data"), Path("/run/node/target"))


def release_disk(node: str, *, commands: Commands, mounts: Mounts, block: BlockDevices | None = None) -> None:
    """Leave the disk used by nobody; nothing on it is changed.

    NodeError naming all users, before anything is taken down, where it is mounted elsewhere than by
    ourselves, or is a path of a multipath disk.
    """
    block = block or BlockDevices()
    name = Path(node).resolve().name
    if staying := [user for user in block.users(name) if _stays(user)]:
        raise NodeError(
            f"{node} is in use: {', '.join(str(user) for user in staying)}",
            mend="Unmount it, or choose another disk",
        )
    for attempt in range(_ROUNDS):
        users = block.users(name)
        if not users:
            break
        if attempt:
            time.sleep(_PAUSE_S)
        for user in users:
            _take_down(user, commands, mounts, block)
        settle(commands)
    if users := block.users(name):
        raise NodeError(
            f"{node} is still in use after all was taken down: {', '.join(str(user) for user in users)}",
            mend="Take it down by hand (F2 gives a shell), or restart the machine",
        )
    # What the kernel doesn't name, such as a mount of another container, shows here.
    with exclusive(node):
        pass


def _stays(user: User) -> bool:
    if user.what == "mount":
        return not _is_ours(Path(user.by))
    return user.is_multipath or user.what == "holder"


def _is_ours(where: Path) -> bool:
    return any(where == place or place in where.parents for place in _OUR_PLACES)


def _take_down(user: User, commands: Commands, mounts: Mounts, block: BlockDevices) -> None:
    downs: dict[str, Callable[[], object]] = {
        "mount": lambda: _unmount(Path(user.by), commands, mounts),
        "swap": lambda: commands.run(["swapoff", f"/dev/{user.device}"], timeout_s=300),
        "dm": lambda: commands.run(["dmsetup", "remove", "--retry", user.label or user.by], check=False),
        # Both stop without their tools: Documentation/admin-guide/md.rst and bcache.rst.
        "md": lambda: _write(block.sys / "block" / user.by / "md/array_state", "clear"),
        "bcache": lambda: _write(block.sys / "block" / user.by / "bcache/stop", "1"),
    }
    downs[user.what]()


def _unmount(where: Path, commands: Commands, mounts: Mounts) -> None:
    if where == Path("/var/log"):
        # journald has its files open there.
        commands.run(["journalctl", "--relinquish-var"], check=False)
    mounts.unmount(where)


def _write(path: Path, text: str) -> None:
    # Still in use or gone meanwhile: the next round sees it.
    try:
        path.write_text(text)
    except OSError:
        return
