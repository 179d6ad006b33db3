"""The state store: /config/node.yaml, its last ten versions, and broken ones kept aside.

One writer at a time is the caller's to see to; readers need no lock.
"""

from __future__ import annotations

import contextlib
import errno
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from node.errors import NodeError
from node.model.state import State
from node.model.system import Files
from node.persist.aside import UnreadableError, copy_aside, keep_aside
from node.persist.document import (
    BrokenStateError,
    Check,
    FutureStateError,
    Migrate,
    StoredState,
    state_from_text,
    state_to_text,
)
from node.persist.history import (
    BROKEN,
    FOUND,
    HISTORY,
    KEPT_VERSIONS,
    MODE,
    STATE_FILE,
    NumberedFiles,
    Version,
    head_number,
    read_head,
    reason_line,
    with_head,
)
from node.persist.migrations import migrate_core
from node.persist.versions import (
    body_of,
    history,
    is_outside,
    newest_good,
    read_file,
    read_version,
    text_of,
    versions_of,
)
from node.system.files import LiveFiles, is_leftover

_SCRATCH = "trial.yaml"

__all__ = [
    "STATE_FILE",
    "BrokenStateError",
    "FutureStateError",
    "StateNotWrittenError",
    "StoredState",
    "Version",
    "history",
    "read_state",
    "read_version",
    "state_from_text",
    "state_to_text",
    "take_back",
    "try_room",
    "write_state",
]


class StateNotWrittenError(NodeError):
    """The state could not be written; the one before is in force as it was."""


def read_state(
    folder: Path,
    *,
    migrate: Migrate = migrate_core,
    check: Check | None = None,
    keep_broken: bool = True,
    files: Files | None = None,
) -> StoredState | None:
    """Read the state of a CONFIG folder; None where there is none and never was.

    A state that is missing, torn, unreadable or refused by `check` gives way to the newest good version of
    the history. It stays where it is, and is copied to `broken/` with `keep_broken` where that can be
    written. BrokenStateError where no version is good; FutureStateError, with `fallback`, where the state is
    newer than this image: nothing is written then.
    """
    files = files or LiveFiles()
    try:
        return StoredState(read_file(files, folder / STATE_FILE, migrate, check))
    except FileNotFoundError:
        broken = BrokenStateError(f"{STATE_FILE} is missing")
        with contextlib.suppress(OSError):
            if not versions_of(files, folder).numbers():
                return None
    except FutureStateError as error:
        raise FutureStateError(
            error.brief, mend=error.mend, fallback=newest_good(files, folder, migrate, check)
        ) from error
    except BrokenStateError as error:
        broken = error
    kept = keep_aside(files, folder) if keep_broken else ""
    found = newest_good(files, folder, migrate, check)
    if found is None:
        raise broken
    words = f"{_sentence(broken)}; {found.source} is used in its place"
    return replace(found, warnings=(f"{words} ({kept})" if kept else words,))


def write_state(
    folder: Path,
    state: State,
    *,
    reason: str,
    at: datetime,
    replace_future: bool = False,
    files: Files | None = None,
) -> None:
    """Put a state in force: after this it is on the disk, and the newest of at most ten versions.

    `reason` says who or what changed it, without secrets; `at` is aware of its time zone. A power cut leaves
    the old state or this one. StateNotWrittenError, with the old one in force, where CONFIG is full,
    read-only or fails; FutureStateError where the old one is newer than this image, unless `replace_future`
    has it copied to `broken/` and replaced.
    """
    files = files or LiveFiles()
    try:
        _write(files, folder, state, reason, at, replace_future=replace_future)
    except OSError as error:
        raise _not_written(error) from error


def try_room(folder: Path, state: State, *, files: Files | None = None) -> None:
    """Find out, and leave no trace, whether `write_state` could put a state in force; errors as there."""
    files = files or LiveFiles()
    try:
        files.write(folder / _SCRATCH, state_to_text(state).encode(), mode=MODE)
        files.remove(folder / _SCRATCH)
    except OSError as error:
        raise _not_written(error) from error


def take_back(folder: Path, *, reason: str, files: Files | None = None) -> None:
    """Put the version before the one in force into force again, where that came about by `reason`."""
    files = files or LiveFiles()
    versions, current = versions_of(files, folder), folder / STATE_FILE
    if read_head(text_of(files, current))[1] != reason_line(reason):
        return
    body = body_of(files, current)
    for number in reversed(versions.numbers()):
        if body_of(files, versions.path(number)) != body:
            files.write(current, files.read(versions.path(number)), mode=MODE)
            break
        files.remove(versions.path(number))


def _write(
    files: Files, folder: Path, state: State, reason: str, at: datetime, *, replace_future: bool
) -> None:
    current, versions = folder / STATE_FILE, versions_of(files, folder)
    _remove_leftovers(files, folder)
    try:
        read_file(files, current, migrate_core, None)
    except FileNotFoundError:
        pass
    except FutureStateError:
        if not replace_future:
            raise
        copy_aside(files, folder)
    except BrokenStateError:
        # A bad block of the disk is no reason to refuse a good state.
        with contextlib.suppress(UnreadableError):
            copy_aside(files, folder)
    else:
        # Power cuts may have kept earlier writes from it.
        with contextlib.suppress(OSError):
            versions.prune(KEPT_VERSIONS)
        _adopt(files, current, versions, at)
    number = versions.next_number()
    contents = with_head(state_to_text(state), number=number, at=at, reason=reason).encode()
    try:
        # All that needs room comes first: the write that counts takes no more than it gives back. In the
        # history it isn't until it is in force, else one that never was would stand in for a broken one.
        versions.prepare(contents)
        files.write(current, contents, mode=MODE)
    except BaseException:
        with contextlib.suppress(OSError):
            versions.drop_prepared()
        raise
    # It is in force, and the next write adopts it where this fails: no reason to say otherwise.
    with contextlib.suppress(OSError):
        versions.add_prepared()
        versions.prune(KEPT_VERSIONS)


def _adopt(files: Files, current: Path, versions: NumberedFiles, at: datetime) -> None:
    """Take what is in force into the history before it is replaced, where it isn't there.

    That is what an editor put into force, or a write that was cut short just after it counted.
    """
    if not is_outside(files, current.parent, versions):
        return
    text, number = text_of(files, current), versions.next_number()
    if head_number(text) != number:
        text = with_head(text, number=number, at=at, reason=FOUND)
    versions.add(text.encode())


def _remove_leftovers(files: Files, folder: Path) -> None:
    """Remove what writes that were cut short left: on a small filesystem they would add up."""
    for where in (folder, folder / HISTORY, folder / BROKEN):
        for name in files.names(where):
            if is_leftover(name):
                files.remove(where / name)


def _sentence(error: BrokenStateError) -> str:
    return f"{error.brief} ({error.details})" if error.details else error.brief


def _not_written(error: OSError) -> StateNotWrittenError:
    same = "the configuration stays as it was"
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return StateNotWrittenError(
            f"CONFIG is full: {same}", mend="Drop kept files that are big (`nodectl persist list`)"
        )
    if error.errno == errno.EROFS:
        return StateNotWrittenError(
            f"CONFIG is read-only: {same}", mend="Look for errors of its disk in `journalctl -k`"
        )
    return StateNotWrittenError(f"CONFIG can't be written: {same}", details=error.strerror or str(error))
