"""Takes a secret that was used out of the versions of the state that are kept."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from pathlib import Path

from node.model.system import Files
from node.persist.history import BROKEN, HISTORY, MODE
from node.system.files import LiveFiles

_EMPTY = b"''"


def forget_in_history(folder: Path, secrets: Iterable[str], *, files: Files | None = None) -> None:
    """Put an empty text in the place of each secret, in every version but the one in force.

    A version stays what it was but for that. One that can't be written stays as it is.
    """
    files = files or LiveFiles()
    words = [secret.encode() for secret in secrets if secret]
    for where in (folder / HISTORY, folder / BROKEN):
        for name in files.names(where):
            path = where / name
            with contextlib.suppress(OSError):
                contents = files.read(path)
                cleaned = contents
                for word in words:
                    for written in (b"'%b'" % word, b'"%b"' % word, word):
                        cleaned = cleaned.replace(written, _EMPTY)
                if cleaned != contents:
                    files.write(path, cleaned, mode=MODE)
