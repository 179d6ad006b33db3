"""Forbids effects while a block runs, by an audit hook and with an exception that no handler swallows.

The unit tests run in it, and hooks and steps of plugins in a conformance run.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PROCESSES, SOCKETS, WRITES = "processes", "sockets", "writes"

# The events of the interpreter's audit (docs.python.org/3/library/audit_events.html).
_EVENTS = {
    **dict.fromkeys(
        ("subprocess.Popen", "os.system", "os.posix_spawn", "os.exec", "os.fork", "os.forkpty", "pty.spawn"),
        PROCESSES,
    ),
    **dict.fromkeys(
        ("socket.connect", "socket.bind", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto"),
        SOCKETS,
    ),
}
_WRITING = {"os.remove", "os.rename", "os.mkdir", "os.rmdir", "os.chmod", "os.chown", "os.link",
            "os.symlink", "os.truncate", "os.setxattr"}  # fmt: skip
_CHECKOUT = Path(__file__).parents[2]
_FLAGS = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


class ForbiddenEffectError(BaseException):
    """Code reached for the machine. Not an Exception, so that no `except Exception` hides it."""


class _Guard:
    """What is forbidden now; None while nobody is watched."""

    allowed: frozenset[str] | None = None
    temporary = True
    caught: list[str] | None = None
    installed = False


@contextmanager
def guarded(
    *, allowed: frozenset[str] = frozenset(), temporary: bool = True, caught: list[str] | None = None
) -> Iterator[None]:
    """Forbid effects while the block runs, but the kinds that are allowed.

    Temporary files may be written where `temporary`. `caught` gets the words of each forbidden effect, also
    of one that the block hides. Blocks may stand in each other; the inner one counts.
    """
    if not _Guard.installed:
        sys.addaudithook(_watch)
        _Guard.installed = True
    before = (_Guard.allowed, _Guard.temporary, _Guard.caught)
    _Guard.allowed, _Guard.temporary, _Guard.caught = allowed, temporary, caught
    try:
        yield
    finally:
        _Guard.allowed, _Guard.temporary, _Guard.caught = before


def _forbid(words: str) -> None:
    if _Guard.caught is not None:
        _Guard.caught.append(words)
    raise ForbiddenEffectError(words)


def _watch(event: str, arguments: tuple[object, ...]) -> None:
    allowed = _Guard.allowed
    if allowed is None:
        return
    kind = _EVENTS.get(event)
    if kind and kind not in allowed:
        _forbid(f"{event}: {arguments[:2]!r}")
    if WRITES in allowed:
        return
    # Of a symlink it is made what comes second; the first is a text that may lead anywhere.
    path = arguments[event == "os.symlink"] if arguments else None
    if event == "open":
        _, mode, flags = arguments
        writes = any(letter in str(mode or "") for letter in "wax+") or int(str(flags or 0)) & _FLAGS
        if writes and not _is_temporary(path):
            _forbid(f"{path} opened for writing")
    elif event in _WRITING and not _relative(path) and not _is_temporary(path):
        _forbid(f"{event} of {path}")


def _relative(path: object) -> bool:
    # shutil.rmtree names files relative to an open folder, which the event doesn't tell.
    return isinstance(path, str | bytes) and not os.fsdecode(path).startswith("/")


def _is_temporary(path: object) -> bool:
    # A file descriptor was opened before, and judged then.
    if not isinstance(path, str | bytes | os.PathLike):
        return True
    where = Path(os.fsdecode(path)).absolute()
    text = str(where)
    if text.startswith(("/dev/null", "/dev/tty", "/dev/ptmx", "/dev/pts/", "/dev/shm/", "/proc/self/")):  # noqa: S108
        return True
    # What Python and hypothesis keep for themselves.
    if "__pycache__" in text or ".hypothesis" in where.parts:
        return True
    if not _Guard.temporary:
        return False
    # The checkout may itself lie in a temporary folder, as a clean one often does.
    return where.is_relative_to(tempfile.gettempdir()) and not where.is_relative_to(_CHECKOUT)
