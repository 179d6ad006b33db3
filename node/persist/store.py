"""The state store: /config/node.yaml, its last ten versions, and broken ones kept aside.

One writer at a time is the caller's to see to; readers need no lock.
"""

from __future__ import annotations

import contextlib
import errno
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from node.errors import InputError, NodeError
from node.model.state import State
from node.model.system import Files
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
    HISTORY,
    KEPT_BROKEN,
    KEPT_VERSIONS,
    MODE,
    NumberedFiles,
    Version,
    head_number,
    read_head,
    with_head,
    without_head,
)
from node.persist.migrations import migrate_core
from node.system.files import LiveFiles, is_leftover

__all__ = [
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
    "write_state",
]

STATE_FILE = "node.yaml"
_ADOPTED = "found as it was: changed by hand"


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
        return StoredState(_read(files, folder / STATE_FILE, migrate, check))
    except FileNotFoundError:
        broken = BrokenStateError(f"{STATE_FILE} is missing")
        if not _versions(files, folder).numbers():
            return None
    except FutureStateError as error:
        raise FutureStateError(
            error.brief, mend=error.mend, fallback=_newest_good(files, folder, migrate, check)
        ) from error
    except BrokenStateError as error:
        broken = error
    kept = _keep_aside(files, folder) if keep_broken else ""
    found = _newest_good(files, folder, migrate, check)
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


def history(
    folder: Path, *, migrate: Migrate = migrate_core, check: Check | None = None, files: Files | None = None
) -> tuple[Version, ...]:
    """Give the versions that are kept, newest first.

    A state in force that isn't in the history, since it was edited by hand or its write was cut short just
    after it counted, stands first, with the number that the next write will keep it under.
    """
    files = files or LiveFiles()
    versions = _versions(files, folder)
    kept = [(number, versions.path(number)) for number in reversed(versions.numbers())]
    if _is_outside(files, folder, versions):
        kept.insert(0, (versions.next_number(), folder / STATE_FILE))
    found: list[Version] = []
    current = _body(files, folder / STATE_FILE)
    for number, path in kept:
        broken = ""
        try:
            _read(files, path, migrate, check)
        except FileNotFoundError:
            continue
        except BrokenStateError as error:
            broken = error.brief
        text = _text(files, path)
        at, reason = read_head(text) if head_number(text) == number else (None, _ADOPTED)
        in_force = not any(other.current for other in found) and current == without_head(text)
        found.append(Version(number, at, reason, broken, in_force))
    return tuple(found)


def _is_outside(files: Files, folder: Path, versions: NumberedFiles) -> bool:
    """Tell whether there is a good state in force that no version of the history is."""
    try:
        _read(files, folder / STATE_FILE, migrate_core, None)
    except (FileNotFoundError, BrokenStateError):
        return False
    body = _body(files, folder / STATE_FILE)
    return all(_body(files, versions.path(number)) != body for number in versions.numbers())


def read_version(
    folder: Path,
    number: int,
    *,
    migrate: Migrate = migrate_core,
    check: Check | None = None,
    files: Files | None = None,
) -> State:
    """Give a version of the history.

    InputError where it isn't kept, BrokenStateError where it can't be used.
    """
    files = files or LiveFiles()
    versions = _versions(files, folder)
    outside = number == versions.next_number() and _is_outside(files, folder, versions)
    try:
        return _read(files, folder / STATE_FILE if outside else versions.path(number), migrate, check)
    except FileNotFoundError as error:
        kept = ", ".join(str(number) for number in versions.numbers()) or "none"
        raise InputError(
            f"there is no version {number} of the configuration", mend=f"Choose one that is kept: {kept}"
        ) from error


def take_back(folder: Path, *, reason: str, files: Files | None = None) -> None:
    """Put the version before the one in force into force again, where that came about by `reason`."""
    files = files or LiveFiles()
    versions, current = _versions(files, folder), folder / STATE_FILE
    if read_head(_text(files, current))[1] != reason:
        return
    body = _body(files, current)
    for number in reversed(versions.numbers()):
        if _body(files, versions.path(number)) != body:
            files.write(current, files.read(versions.path(number)), mode=MODE)
            break
        files.remove(versions.path(number))


def _write(
    files: Files, folder: Path, state: State, reason: str, at: datetime, *, replace_future: bool
) -> None:
    current, versions = folder / STATE_FILE, _versions(files, folder)
    _remove_leftovers(files, folder)
    try:
        _read(files, current, migrate_core, None)
    except FileNotFoundError:
        pass
    except FutureStateError:
        if not replace_future:
            raise
        _copy_aside(files, folder)
    except BrokenStateError:
        _copy_aside(files, folder)
    else:
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
    if not _is_outside(files, current.parent, versions):
        return
    text, number = _text(files, current), versions.next_number()
    if head_number(text) != number:
        text = with_head(text, number=number, at=at, reason=_ADOPTED)
    versions.add(text.encode())


def _newest_good(files: Files, folder: Path, migrate: Migrate, check: Check | None) -> StoredState | None:
    versions = _versions(files, folder)
    for number in reversed(versions.numbers()):
        path = versions.path(number)
        with contextlib.suppress(FileNotFoundError, BrokenStateError):
            return StoredState(_read(files, path, migrate, check), source=str(path.relative_to(folder)))
    return None


def _keep_aside(files: Files, folder: Path) -> str:
    """Copy the broken state aside and say where; "" where it is missing."""
    try:
        kept = _copy_aside(files, folder)
    except FileNotFoundError:
        return ""
    except OSError as error:
        return f"no copy of the broken one could be kept: {error.strerror}"
    return f"the broken one is kept as {kept.relative_to(folder)}"


def _copy_aside(files: Files, folder: Path) -> Path:
    contents = files.read(folder / STATE_FILE)
    aside = NumberedFiles(files, folder / BROKEN)
    for number in aside.numbers():
        # Each boot finds the same one again, until somebody writes a good one.
        if files.read(aside.path(number)) == contents:
            return aside.path(number)
    number = aside.add(contents)
    aside.prune(KEPT_BROKEN)
    return aside.path(number)


def _remove_leftovers(files: Files, folder: Path) -> None:
    """Remove what writes that were cut short left: on a small filesystem they would add up."""
    for where in (folder, folder / HISTORY, folder / BROKEN):
        for name in files.names(where):
            if is_leftover(name):
                files.remove(where / name)


def _versions(files: Files, folder: Path) -> NumberedFiles:
    return NumberedFiles(files, folder / HISTORY)


def _read(files: Files, path: Path, migrate: Migrate, check: Check | None) -> State:
    try:
        text = files.read(path).decode()
    except FileNotFoundError:
        raise
    except UnicodeDecodeError as error:
        raise BrokenStateError("the state is not text") from error
    except OSError as error:
        raise BrokenStateError("the state can't be read", details=error.strerror or "") from error
    return state_from_text(text, migrate=migrate, check=check)


def _text(files: Files, path: Path) -> str:
    try:
        return files.read(path).decode(errors="replace")
    except OSError:
        return ""


def _body(files: Files, path: Path) -> str:
    return without_head(_text(files, path))


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
