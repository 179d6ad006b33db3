"""The one way to run a command: known environment, no standard input, its last words in the error."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from node.errors import CommandFailedError

# Enough to see what went wrong, little enough to read.
LAST_WORDS_LINES = 20

_PR_SET_PDEATHSIG = 1  # linux/prctl.h
_libc = ctypes.CDLL(None, use_errno=True)


def clean_environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """An environment that doesn't depend on who builds: only HOME and TMPDIR are kept."""
    kept = {name: os.environ[name] for name in ("HOME", "TMPDIR") if name in os.environ}
    return {
        **kept,
        "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "LC_ALL": "C.UTF-8",
        "TZ": "UTC",
        "DEBIAN_FRONTEND": "noninteractive",
        "DEBCONF_NONINTERACTIVE_SEEN": "true",
        # Byte-compiled Python and other sets in hash order come out the same each time.
        "PYTHONHASHSEED": "0",
        **(extra or {}),
    }


def die_with_parent() -> None:
    """To be called between fork and exec: ends this process when the builder is killed."""
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def last_words(output: str, lines: int = LAST_WORDS_LINES) -> str:
    """The end of what a command said, without empty lines."""
    said = [line.rstrip() for line in output.splitlines() if line.strip()]
    return "\n".join(said[-lines:])


def run(
    argv: Sequence[str | Path],
    *,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    brief: str | None = None,
    log: Path | None = None,
    lines: int = LAST_WORDS_LINES,
) -> str:
    """Run to the end and give what it printed, both streams together.

    With `log`, all of it goes there as it comes. Raises CommandFailedError, whose brief is `brief`
    or names the command, and whose details are its last words, `lines` of them.
    """
    words = [str(word) for word in argv]
    brief = brief or f"{words[0]} failed"
    try:
        with subprocess.Popen(
            words,
            env=clean_environment(env),
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            preexec_fn=die_with_parent,  # noqa: PLW1509 - the builder has no other thread at work then
        ) as process:
            output = _drain(process, log)
    except FileNotFoundError as error:
        missing = f"{words[0]} is not on this machine; run `make setup`"
        raise CommandFailedError(brief, argv=words, status=127, details=missing) from error
    if process.returncode:
        said = last_words(output, lines)
        raise CommandFailedError(brief, argv=words, status=process.returncode, details=said)
    return output


def _drain(process: subprocess.Popen[bytes], log: Path | None) -> str:
    assert process.stdout is not None
    said: list[bytes] = []
    try:
        with (log or Path(os.devnull)).open("ab") as copy:
            while chunk := process.stdout.read1(65536):  # type: ignore[attr-defined]
                said.append(chunk)
                copy.write(chunk)
                copy.flush()
    except BaseException:
        # An interrupted build leaves nothing running; mmdebstrap clears its folder on SIGTERM.
        process.terminate()
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
        raise
    process.wait()
    return b"".join(said).decode(errors="replace")
