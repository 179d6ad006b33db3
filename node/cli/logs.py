"""Where log records go: to a file by default, to standard error with --debug; never between the words."""

from __future__ import annotations

import logging
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from node.model.mask import mask_hashes

RUN = Path("/run/node")
_FORM = "%(asctime)s %(levelname)s %(name)s: %(message)s"


def configure_logging(*, debug: bool) -> None:
    """Send records to a log file, opened at the first one, or to standard error when debugging."""
    handler: logging.Handler = logging.StreamHandler(sys.stderr) if debug else LogFile()
    handler.setFormatter(logging.Formatter(_FORM))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.DEBUG if debug else logging.WARNING)


class LogFile(logging.Handler):
    """Appends records to nodectl's log; quiet where none can be written."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record."""
        append_to_log(self.format(record) + "\n")


def append_to_log(text: str) -> Path | None:
    """Append to the first log file that can be written and give its path, None where there is none.

    Password hashes are masked: a traceback may quote the value that a program stumbled over.
    """
    for path in _candidates():
        try:
            with _open(path) as log:
                log.write(mask_hashes(text))
        except OSError:
            continue
        return path
    return None


def _candidates() -> Iterator[Path]:
    if RUN.is_dir():
        yield RUN / "nodectl.log"
    state = Path(os.environ.get("XDG_STATE_HOME", "~/.local/state")).expanduser()
    yield state / "nodecrust" / "nodectl.log"
    yield Path(tempfile.gettempdir()) / f"nodectl-{os.getuid()}.log"


def _open(path: Path) -> TextIO:
    if path.parent != RUN:
        path.parent.mkdir(parents=True, exist_ok=True)
    # A log in a folder that all may write to must not follow someone's link.
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW
    return os.fdopen(os.open(path, flags, 0o600), "a", encoding="utf-8")
