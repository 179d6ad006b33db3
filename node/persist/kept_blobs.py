"""kept/blobs/: the contents of kept files, each under its SHA-256, holes left out."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import secrets
from collections.abc import Callable, Collection, Iterator
from pathlib import Path

from node.errors import NodeError
from node.system.files import FileCalls

BLOBS = "blobs"
# Kept small: a boot reads the contents through it, with little memory.
_CHUNK = 1 << 18
# A run of zeroes of this length, in place, becomes a hole; the filesystem's blocks are no longer.
_HOLE = 4096
_ZEROES = bytes(_HOLE)
# Writes to an open file, as os.write does.
Write = Callable[[int, memoryview], int]


class DamagedBlobError(NodeError):
    """A blob that is missing, or whose contents are not what its name says."""


class ChangedMeanwhileError(NodeError):
    """A file that was written while it was read."""


class Blobs:
    """The blobs of a folder `kept`. A blob counts once the index names it; until then it is a leftover."""

    def __init__(self, folder: Path, calls: FileCalls = os) -> None:
        self._folder = folder / BLOBS
        self._calls = calls

    def add(self, number: int, *, sha256: str) -> None:
        """Keep the contents of an open file, which must be those of `sha256`, until `flush` not for good.

        ChangedMeanwhileError where they are others; OSError (ENOSPC) with nothing left behind.
        """
        make_folder(self._folder, self._calls)
        new = self._folder / f".{secrets.token_hex(8)}.new"
        target = self._calls.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            try:
                found = self._copy(number, target)
                self._calls.fsync(target)
            finally:
                self._calls.close(target)
            if found != sha256:
                raise ChangedMeanwhileError("the file was changed while it was read")
            self._calls.rename(new, self._folder / sha256)
        except BaseException:
            with contextlib.suppress(OSError):
                self._calls.unlink(new)
            raise

    def flush(self) -> None:
        """Make what was added last; only then may an index name it."""
        if self._folder.is_dir():
            _flush(self._folder, self._calls)

    def has(self, sha256: str, size: int) -> bool:
        """Whether there is a blob of this name and length; its contents are not read."""
        try:
            return (self._folder / sha256).stat().st_size == size
        except OSError:
            return False

    def copy_to(self, sha256: str, target: int, *, write: Write = os.write) -> None:
        """Write a blob to an open, empty file by `write`, whose errors pass.

        DamagedBlobError, with the file half written, where the blob isn't whole; OSError where the file can't
        be written.
        """
        try:
            source = os.open(self._folder / sha256, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        except OSError as error:
            raise DamagedBlobError(f"its saved contents can't be read: {error.strerror}") from error
        try:
            found = copy_contents(source, target, write)
        except OSError as error:
            # What the file to be written says of itself, such as that there is no room, is another matter.
            if error.errno not in (errno.EIO, errno.EISDIR):
                raise
            raise DamagedBlobError(f"its saved contents can't be read: {error.strerror}") from error
        finally:
            os.close(source)
        if found != sha256:
            raise DamagedBlobError("its saved contents are damaged")

    def collect(self, wanted: Collection[str]) -> None:
        """Remove what no index names; what can't be removed stays until the next time."""
        for name in self._names():
            if name not in wanted:
                with contextlib.suppress(OSError):
                    self._calls.unlink(self._folder / name)

    def _copy(self, number: int, target: int) -> str:
        os.lseek(number, 0, os.SEEK_SET)
        return copy_contents(number, target, self._calls.write)

    def _names(self) -> list[str]:
        try:
            return sorted(os.listdir(self._folder))  # noqa: PTH208 - names, not paths
        except (FileNotFoundError, NotADirectoryError):
            return []


def make_folder(folder: Path, calls: FileCalls = os) -> None:
    """Make a folder in one of CONFIG, for good and for root alone; quiet where it is there."""
    if folder.is_dir():
        return
    with contextlib.suppress(FileExistsError):
        calls.mkdir(folder)
    # What is kept may be secret.
    folder.chmod(0o700)
    _flush(folder.parent, calls)


def _flush(folder: Path, calls: FileCalls) -> None:
    number = calls.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        calls.fsync(number)
    finally:
        calls.close(number)


def digest_of(number: int) -> str:
    """Give the SHA-256 of an open file's contents, holes read as zeroes."""
    os.lseek(number, 0, os.SEEK_SET)
    digest = hashlib.sha256()
    for chunk in _chunks(number):
        digest.update(chunk)
    return digest.hexdigest()


def copy_contents(source: int, target: int, write: Write) -> str:
    """Copy from one open file's place to another's, leaving holes for zeroes; give the SHA-256."""
    digest = hashlib.sha256()
    length, written_to = 0, 0
    for chunk in _chunks(source):
        digest.update(chunk)
        for start, piece in _pieces(chunk):
            os.lseek(target, length + start, os.SEEK_SET)
            _write_all(target, piece, write)
            written_to = length + start + len(piece)
        length += len(chunk)
    if written_to < length:
        # The last byte of a hole gives the file its length.
        os.lseek(target, length - 1, os.SEEK_SET)
        _write_all(target, memoryview(b"\0"), write)
    return digest.hexdigest()


def _chunks(number: int) -> Iterator[bytes]:
    while chunk := os.read(number, _CHUNK):
        yield chunk


def _pieces(chunk: bytes) -> Iterator[tuple[int, memoryview]]:
    """Give the runs of a chunk that are not holes, with their places."""
    view = memoryview(chunk)
    if len(chunk) < _HOLE or not _has_hole(chunk):
        yield 0, view
        return
    start = None
    for place in range(0, len(chunk), _HOLE):
        is_hole = len(chunk) - place >= _HOLE and view[place : place + _HOLE] == _ZEROES
        if is_hole and start is not None:
            yield start, view[start:place]
            start = None
        elif not is_hole and start is None:
            start = place
    if start is not None:
        yield start, view[start:]


def _has_hole(chunk: bytes) -> bool:
    return _ZEROES in chunk


def _write_all(target: int, contents: memoryview, write: Write) -> None:
    while contents:
        contents = contents[write(target, contents) :]
