"""Keeps copies of states that can't be used, for whoever wants to know what became of them."""

from __future__ import annotations

import contextlib
from pathlib import Path

from node.model.system import Files
from node.persist.history import BROKEN, KEPT_BROKEN, STATE_FILE, NumberedFiles


class UnreadableError(OSError):
    """What is in force is missing or can't be read, so that no copy can be made."""


def keep_aside(files: Files, folder: Path) -> str:
    """Copy the broken state aside and say where; "" where it is missing or can't be read."""
    try:
        kept = copy_aside(files, folder)
    except UnreadableError:
        return ""
    except OSError as error:
        return f"no copy of the broken one could be kept: {error.strerror}"
    return f"the broken one is kept as {kept.relative_to(folder)}"


def copy_aside(files: Files, folder: Path) -> Path:
    """Copy what is in force to `broken/`, once. UnreadableError where it can't be read."""
    try:
        contents = files.read(folder / STATE_FILE)
    except OSError as error:
        raise UnreadableError(error.errno, error.strerror) from error
    aside = NumberedFiles(files, folder / BROKEN)
    for number in aside.numbers():
        # Each boot finds the same one again, until somebody writes a good one.
        with contextlib.suppress(OSError):
            if files.read(aside.path(number)) == contents:
                return aside.path(number)
    number = aside.add(contents)
    aside.prune(KEPT_BROKEN)
    return aside.path(number)
