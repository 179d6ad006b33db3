"""What a file is besides its contents, owner, mode, times and extended attributes: read, and set again."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from dataclasses import dataclass
from pathlib import Path

ACL = "system.posix_acl_access"
DEFAULT_ACL = "system.posix_acl_default"
# An overlay's own notes on its files, of no meaning anywhere else.
_FOREIGN = ("trusted.overlay.", "user.overlay.")
_NO_XATTRS = {errno.ENOTSUP, errno.ENODATA, errno.EPERM, errno.EACCES}


@dataclass(frozen=True)
class Facts:
    """What lstat(2) and listxattr(2) say. `xattrs` are sorted by name, ACLs of the kernel's form among them.

    `data_bytes` is what it takes on its disk, less than `size` for a file with holes. `changed` differs
    whenever the file was written, replaced or given other attributes since.
    """

    mode: int
    uid: int
    gid: int
    size: int
    data_bytes: int
    mtime_ns: int
    ctime_ns: int
    device: int
    inode: int
    links: int
    changed: tuple[int, ...]
    xattrs: tuple[tuple[str, bytes], ...] = ()

    @property
    def is_folder(self) -> bool:
        """Whether it is a folder."""
        return stat.S_ISDIR(self.mode)

    @property
    def is_file(self) -> bool:
        """Whether it is a regular file."""
        return stat.S_ISREG(self.mode)

    @property
    def is_symlink(self) -> bool:
        """Whether it is a symbolic link, which is never followed."""
        return stat.S_ISLNK(self.mode)

    @property
    def permissions(self) -> int:
        """Mode bits without the type, set-user-ID and its like included."""
        return stat.S_IMODE(self.mode)

    @property
    def attributes(self) -> tuple[object, ...]:
        """Owner, mode and extended attributes, to be compared."""
        return self.permissions, self.uid, self.gid, self.xattrs

    @property
    def other_kind(self) -> str:
        """Name a kind of file that has no contents to keep; "" for files, folders and symlinks."""
        kinds = {stat.S_IFSOCK: "a socket", stat.S_IFIFO: "a named pipe"}
        kinds |= {stat.S_IFBLK: "a device", stat.S_IFCHR: "a device"}
        return kinds.get(stat.S_IFMT(self.mode), "")


def read_facts(path: Path, *, with_xattrs: bool = True) -> Facts | None:
    """Read them without following a symlink; None where there is nothing. OSError where it can't be read."""
    try:
        status = path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    has_xattrs = with_xattrs and not stat.S_ISLNK(status.st_mode)
    return _facts(status, _xattrs(path) if has_xattrs else ())


def facts_of(number: int) -> Facts:
    """Read them of an open file or folder."""
    return _facts(os.fstat(number), _xattrs(number))


def set_facts(
    path: Path, *, mode: int, uid: int, gid: int, mtime_ns: int, xattrs: tuple[tuple[str, bytes], ...]
) -> tuple[str, ...]:
    """Set them on a file or folder, and give the names of attributes that this filesystem doesn't take.

    The owner goes first: a change of it takes capabilities and set-user-ID away.
    """
    os.chown(path, uid, gid, follow_symlinks=False)
    path.chmod(mode)
    refused = []
    for name, value in xattrs:
        try:
            os.setxattr(path, name, value, follow_symlinks=False)
        except OSError:
            refused.append(name)
    set_mtime(path, mtime_ns)
    return tuple(refused)


def set_mtime(path: Path, mtime_ns: int) -> None:
    """Set the time of the last change, of a symlink its own."""
    os.utime(path, ns=(mtime_ns, mtime_ns), follow_symlinks=False)


def _facts(status: os.stat_result, xattrs: tuple[tuple[str, bytes], ...]) -> Facts:
    return Facts(
        mode=status.st_mode,
        uid=status.st_uid,
        gid=status.st_gid,
        size=status.st_size,
        data_bytes=status.st_blocks * 512,
        mtime_ns=status.st_mtime_ns,
        ctime_ns=status.st_ctime_ns,
        device=status.st_dev,
        inode=status.st_ino,
        links=status.st_nlink,
        changed=(status.st_mode, status.st_uid, status.st_size, status.st_mtime_ns, status.st_ctime_ns),
        xattrs=xattrs,
    )


def _xattrs(where: Path | int) -> tuple[tuple[str, bytes], ...]:
    try:
        names = os.listxattr(where)
    except OSError as error:
        if error.errno in _NO_XATTRS:
            return ()
        raise
    found = []
    for name in sorted(names):
        if name.startswith(_FOREIGN):
            continue
        with contextlib.suppress(OSError):
            found.append((name, os.getxattr(where, name)))
    return tuple(found)
