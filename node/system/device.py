"""Opens block devices so that nobody else uses them meanwhile."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from node.errors import NodeError
from node.system.block import BlockDevices
from node.system.udev import wait_for_node

_BLKRRPART = 0x125F  # linux/fs.h


@contextlib.contextmanager
def exclusive(node: str, *, size: int = 0) -> Iterator[int]:
    """Give a descriptor for reading and writing; what was written is flushed at the end.

    NodeError where anything else uses the device (O_EXCL: mounts of all namespaces, LVM, MD, swap), where it
    is no block device, or where it isn't `size` bytes long. udev leaves it alone meanwhile, by the lock that
    systemd's Block Device Locking asks for.
    """
    wait_for_node(node)
    try:
        descriptor = os.open(node, os.O_RDWR | os.O_EXCL | os.O_CLOEXEC)
    except OSError as error:
        raise _refusal(node, error) from None
    try:
        found = os.lseek(descriptor, 0, os.SEEK_END)
        if size and found != size:
            raise NodeError(
                f"{node} is {found} bytes long, not {size}: it is another disk than planned",
                mend="Start again, so that the disks are read anew",
            )
        os.lseek(descriptor, 0, os.SEEK_SET)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield descriptor
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_at(descriptor: int, offset: int, data: bytes) -> None:
    """Write all of it."""
    view = memoryview(data)
    while view:
        written = os.pwrite(descriptor, view, offset)
        view, offset = view[written:], offset + written


def reread_partitions(descriptor: int) -> bool:
    """Let the kernel read the partition table again; False where it can't (no such support, or in use)."""
    try:
        fcntl.ioctl(descriptor, _BLKRRPART)
    except OSError:
        return False
    return True


def _refusal(node: str, error: OSError) -> NodeError:
    if error.errno != errno.EBUSY:
        return NodeError(f"{node} can't be opened: {error.strerror}")
    block = BlockDevices()
    users = ", ".join(str(user) for user in block.users(block.disk_of(Path(node).resolve().name)))
    return NodeError(
        f"{node} is in use" + (f" by {users}" if users else ""),
        mend="Take it out of use first"
        + ("" if users else "; the kernel does not say by whom (a mount of another container, perhaps)"),
    )
