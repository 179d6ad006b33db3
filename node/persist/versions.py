"""Reads the versions of the state: the history, and the one in force as a part of it."""

from __future__ import annotations

import contextlib
from pathlib import Path

from node.errors import InputError
from node.model.state import State
from node.model.system import Files
from node.persist.document import BrokenStateError, Check, Migrate, StoredState, state_from_text
from node.persist.history import (
    FOUND,
    HISTORY,
    STATE_FILE,
    NumberedFiles,
    Version,
    head_number,
    read_head,
    without_head,
)
from node.persist.migrations import migrate_core
from node.system.files import LiveFiles


def history(
    folder: Path, *, migrate: Migrate = migrate_core, check: Check | None = None, files: Files | None = None
) -> tuple[Version, ...]:
    """Give the versions that are kept, newest first.

    A state in force that isn't in the history, since it was edited by hand or its write was cut short just
    after it counted, stands first, with the number that the next write will keep it under.
    """
    files = files or LiveFiles()
    versions = versions_of(files, folder)
    try:
        kept = [(number, versions.path(number)) for number in reversed(versions.numbers())]
    except OSError as error:
        raise BrokenStateError("the history can't be read", details=error.strerror or "") from error
    if is_outside(files, folder, versions):
        kept.insert(0, (versions.next_number(), folder / STATE_FILE))
    found: list[Version] = []
    current = body_of(files, folder / STATE_FILE)
    for number, path in kept:
        broken = ""
        try:
            read_file(files, path, migrate, check)
        except FileNotFoundError:
            continue
        except BrokenStateError as error:
            broken = error.brief
        text = text_of(files, path)
        at, reason = read_head(text) if head_number(text) == number else (None, FOUND)
        in_force = not any(other.current for other in found) and current == without_head(text)
        found.append(Version(number, at, reason, broken, in_force))
    return tuple(found)


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
    versions = versions_of(files, folder)
    outside = number == versions.next_number() and is_outside(files, folder, versions)
    try:
        return read_file(files, folder / STATE_FILE if outside else versions.path(number), migrate, check)
    except FileNotFoundError as error:
        kept = ", ".join(str(number) for number in versions.numbers()) or "none"
        raise InputError(
            f"there is no version {number} of the configuration", mend=f"Choose one that is kept: {kept}"
        ) from error


def is_outside(files: Files, folder: Path, versions: NumberedFiles) -> bool:
    """Tell whether there is a good state in force that no version of the history is."""
    try:
        read_file(files, folder / STATE_FILE, migrate_core, None)
    except (FileNotFoundError, BrokenStateError):
        return False
    body = body_of(files, folder / STATE_FILE)
    return all(body_of(files, versions.path(number)) != body for number in versions.numbers())


def newest_good(files: Files, folder: Path, migrate: Migrate, check: Check | None) -> StoredState | None:
    """Give the newest version that can be used, None where none can."""
    versions, numbers = versions_of(files, folder), []
    with contextlib.suppress(OSError):
        numbers = versions.numbers()
    for number in reversed(numbers):
        path = versions.path(number)
        with contextlib.suppress(FileNotFoundError, BrokenStateError):
            return StoredState(read_file(files, path, migrate, check), source=str(path.relative_to(folder)))
    return None


def versions_of(files: Files, folder: Path) -> NumberedFiles:
    """Give the history of a CONFIG folder."""
    return NumberedFiles(files, folder / HISTORY)


def read_file(files: Files, path: Path, migrate: Migrate, check: Check | None) -> State:
    """Read a file as a state; FileNotFoundError where there is none, else as `state_from_text`."""
    try:
        text = files.read(path).decode()
    except FileNotFoundError:
        raise
    except UnicodeDecodeError as error:
        raise BrokenStateError("the state is not text") from error
    except OSError as error:
        raise BrokenStateError("the state can't be read", details=error.strerror or "") from error
    return state_from_text(text, migrate=migrate, check=check)


def text_of(files: Files, path: Path) -> str:
    """Give a file's text, "" where it can't be read."""
    try:
        return files.read(path).decode(errors="replace")
    except OSError:
        return ""


def body_of(files: Files, path: Path) -> str:
    """Give a file's state without head and END: what makes two versions the same state."""
    return without_head(text_of(files, path))
