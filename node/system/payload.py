"""Moves the root image: reading, hashing and writing side by side, past the page cache."""

from __future__ import annotations

import contextlib
import hashlib
import mmap
import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from node.errors import NodeError
from node.model.size import MIB
from node.system.device import exclusive

CHUNK = 4 * MIB
_PROGRESS_EVERY_S = 0.2
# Any device's sectors divide it, and O_DIRECT wants whole ones.
_ALIGNMENT = 4096

Progress = Callable[[int, int], None]


class LivePayload:
    """Image copies on this machine; fulfils `node.model.system.Payload`."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress

    def copy_image(self, source: Path, target: str, *, size: int, sha256: str) -> None:
        """Stream `size` bytes of a file or device onto a device, flushed; zero blocks too.

        NodeError where the source ends early, the target is too small or in use, or the SHA-256 is another.
        """
        with contextlib.ExitStack() as stack:
            try:
                origin = os.open(source, os.O_RDONLY | os.O_CLOEXEC)
            except OSError as error:
                raise NodeError(f"the image {source} can't be opened: {error.strerror}") from None
            stack.callback(os.close, origin)
            os.posix_fadvise(origin, 0, 0, os.POSIX_FADV_SEQUENTIAL)
            locked = stack.enter_context(exclusive(target))
            room = os.lseek(locked, 0, os.SEEK_END)
            if room < size:
                raise NodeError(f"{target} is too small for the image by {size - room} bytes")
            write = stack.enter_context(_writer(target, locked, room))
            found = self._stream(lambda view, at: _read(origin, view, at, size, source), write, size)
        _require(found, sha256, f"the image {source}")

    def verify_image(self, target: str, *, size: int, sha256: str) -> None:
        """Read `size` bytes back from the medium, past the page cache; NodeError where they are others."""
        with _reader(target) as descriptor:
            found = self._stream(
                lambda view, at: _read(descriptor, view, at, size, Path(target)),
                lambda _view, _at: None,
                size,
            )
        _require(found, sha256, f"what {target} holds")

    def _stream(
        self, read: Callable[[memoryview, int], None], write: Callable[[memoryview, int], None], size: int
    ) -> str:
        """Read chunk n+1 while chunk n is hashed and written; give the SHA-256."""
        digest = hashlib.sha256()
        # Anonymous memory is aligned to pages, as O_DIRECT wants it.
        buffers = [memoryview(mmap.mmap(-1, CHUNK)) for _ in range(2)]
        told = 0.0
        with ThreadPoolExecutor(2) as pool:

            def begin(at: int) -> Future[None]:
                view = buffers[at // CHUNK % 2][: min(CHUNK, size - at)]
                return pool.submit(read, view, at)

            reading = begin(0)
            hashing: Future[None] | None = None
            for at in range(0, size, CHUNK):
                reading.result()
                if hashing:
                    hashing.result()
                view = buffers[at // CHUNK % 2][: min(CHUNK, size - at)]
                hashing = pool.submit(digest.update, view)
                if at + CHUNK < size:
                    reading = begin(at + CHUNK)
                write(view, at)
                if time.monotonic() - told >= _PROGRESS_EVERY_S:
                    told = time.monotonic()
                    self._progress(at + len(view), size)
            if hashing:
                hashing.result()
        self._progress(size, size)
        return digest.hexdigest()


def _read(descriptor: int, view: memoryview, at: int, size: int, source: Path) -> None:
    done = 0
    while done < len(view):
        # O_DIRECT reads whole sectors only, so the last chunk is asked for in full.
        whole = memoryview(view.obj)[done : -(-len(view) // _ALIGNMENT) * _ALIGNMENT]
        try:
            count = os.preadv(descriptor, [whole], at + done)
        except OSError as error:
            raise NodeError(f"{source} can't be read at byte {at + done}: {error.strerror}") from None
        if count == 0:
            end = at + done
            raise NodeError(
                f"{source} ends at byte {end}, {size - end} bytes before the image does",
                mend="Fetch or write the image anew",
            )
        done += count


@contextlib.contextmanager
def _writer(target: str, locked: int, room: int) -> Iterator[Callable[[memoryview, int], None]]:
    """Give what writes a chunk; direct where the device can, so that no page cache fills up."""
    descriptor, direct = _open(target, os.O_WRONLY)

    def write(view: memoryview, at: int) -> None:
        data = view
        if direct and (odd := len(view) % _ALIGNMENT):
            data = memoryview(view.obj)[: len(view) + _ALIGNMENT - odd]
            data[len(view) :] = bytes(len(data) - len(view))
            if at + len(data) > room:
                raise NodeError(f"{target} has no room for the image's last sector")
        done = 0
        while done < len(data):
            try:
                done += os.pwrite(descriptor, data[done:], at + done)
            except OSError as error:
                raise NodeError(f"{target} can't be written at byte {at + done}: {error.strerror}") from None
        if not direct:
            os.fdatasync(descriptor)
            os.posix_fadvise(descriptor, at, len(data), os.POSIX_FADV_DONTNEED)

    try:
        yield write
        os.fsync(descriptor)
        # The disk's own cache is flushed through the device that was locked, too.
        os.fsync(locked)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def _reader(target: str) -> Iterator[int]:
    descriptor, direct = _open(target, os.O_RDONLY)
    try:
        if not direct:
            os.fsync(descriptor)
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        yield descriptor
    finally:
        os.close(descriptor)


def _open(target: str, flags: int) -> tuple[int, bool]:
    try:
        return os.open(target, flags | os.O_DIRECT | os.O_CLOEXEC), True
    except OSError:
        pass
    try:
        return os.open(target, flags | os.O_CLOEXEC), False
    except OSError as error:
        raise NodeError(f"{target} can't be opened: {error.strerror}") from None


def _require(found: str, wanted: str, what: str) -> None:
    if found != wanted.lower():
        raise NodeError(
            f"{what} is not what it should be: its SHA-256 is {found}, not {wanted.lower()}",
            mend="Fetch or write the image anew; if it happens again, test the memory and the disk",
        )
