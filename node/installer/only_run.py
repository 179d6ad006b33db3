"""One run at a time: a second one must not begin beside an engine whose screens are gone."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from node.errors import NodeError, TryAgainError


@contextmanager
def only_run(path: Path) -> Iterator[None]:
    """Hold the lock file `path` for the block; TryAgainError at once where another process holds it.

    The kernel lets go of it when the last process of the run has ended, however that happened: steps are
    children of the engine and hold it, too.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("ab")
    except OSError as error:
        raise NodeError(f"{path} can't be opened: {error.strerror}", mend="Run it as root") from None
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise TryAgainError(
                "an installation is running on this machine already; this one wrote nothing",
                mend=f"Let it come to its end; {path.with_suffix('.jsonl')} says how far it is",
            ) from None
        yield
