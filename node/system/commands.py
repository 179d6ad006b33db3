"""The one way in which programs are run."""

from __future__ import annotations

import contextlib
import logging
import os
import shlex
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from node.errors import CommandFailedError
from node.model.mask import MASK
from node.model.system import Completed

log = logging.getLogger(__name__)

SEARCH_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_LAST_WORDS_LINES = 10
_LAST_WORDS_CHARACTERS = 4000
_GRACE_S = 3.0
_NOT_FOUND = 127

# What of the surroundings a program may see; everything else could change what it does or prints.
_INHERITED = ("TMPDIR", "http_proxy", "https_proxy", "no_proxy", "SOURCE_DATE_EPOCH")

# Debian's package of each program that we call, so that a missing one can be mended.
DEBIAN_PACKAGES = {
    "blkid": "util-linux",
    "blockdev": "util-linux",
    "dmsetup": "dmsetup",
    "efibootmgr": "efibootmgr",
    "grub-bios-setup": "grub-pc-bin",
    "grub-mkimage": "grub-common",
    "kexec": "kexec-tools",
    "losetup": "mount",
    "lvm": "lvm2",
    "mdadm": "mdadm",
    "mkfs.ext4": "e2fsprogs",
    "mkfs.vfat": "dosfstools",
    "mkfs.xfs": "xfsprogs",
    "mkswap": "util-linux",
    "mount": "mount",
    "netplan": "netplan.io",
    "partx": "util-linux",
    "sgdisk": "gdisk",
    "swapoff": "mount",
    "udevadm": "udev",
    "umount": "mount",
    "vgchange": "lvm2",
    "wipefs": "util-linux",
}


class LiveCommands:
    """Runs programs on this machine; fulfils `node.model.system.Commands`."""

    def run(
        self,
        argv: Sequence[str | Path],
        *,
        stdin: str = "",
        timeout_s: float = 60.0,
        check: bool = True,
        secrets: Sequence[str] = (),
        environment: Mapping[str, str] | None = None,
    ) -> Completed:
        """Run to the end; CommandFailedError on failure (when `check`), on timeout and when it isn't there.

        The program gets the C.UTF-8 locale, a clean environment, a process group of its own that is killed
        on timeout, and an empty standard input unless `stdin` is given. `secrets` are masked in everything
        that is logged or raised, but not in the output that is given back.
        """
        words = tuple(str(word) for word in argv)
        # A short "secret" would mask half of every text and tell its length by that.
        hidden = sorted((text for text in secrets if text), key=len, reverse=True)
        shown = tuple(_masked(word, hidden) for word in words)
        log.debug("run: %s", _pasteable(shown, environment or {}, hidden))
        try:
            # The whole group is ended on the way out, so nothing that it started outlives it.
            process = subprocess.Popen(
                words,
                stdin=subprocess.PIPE if stdin else subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=_environment(environment or {}),
                text=True,
                errors="replace",
                start_new_session=True,
            )
        except FileNotFoundError:
            return _missing(shown, check=check)
        except OSError as error:
            raise CommandFailedError(
                f"{words[0]} could not be started: {error.strerror}", argv=shown, status=None
            ) from None
        try:
            output, errors = process.communicate(stdin or None, timeout=timeout_s)
        except subprocess.TimeoutExpired:
            output, errors = _end(process)
            raise CommandFailedError(
                f"{_name(words)} did not end within {timeout_s:g} s and was killed",
                argv=shown,
                status=None,
                details=_last_words(errors or output, hidden),
            ) from None
        except BaseException:
            _end(process)
            raise
        log.debug("run: %s ended with %d", _name(words), process.returncode)
        if check and process.returncode != 0:
            raise CommandFailedError(
                f"{_name(words)} failed ({_ending(process.returncode)})",
                argv=shown,
                status=process.returncode,
                details=_last_words(errors.strip() or output, hidden),
            )
        return Completed(words, process.returncode, output, errors)


def _environment(extra: Mapping[str, str]) -> dict[str, str]:
    kept = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    return {"PATH": SEARCH_PATH, "LC_ALL": "C.UTF-8", "LANG": "C.UTF-8", "HOME": "/", **kept, **extra}


def _missing(shown: tuple[str, ...], *, check: bool) -> Completed:
    name = Path(shown[0]).name
    package = DEBIAN_PACKAGES.get(name)
    words = f"{shown[0]} is not installed here" + (f" (Debian's package {package} has it)" if package else "")
    if check:
        raise CommandFailedError(words, argv=shown, status=_NOT_FOUND)
    return Completed(shown, _NOT_FOUND, "", words)


def _end(process: subprocess.Popen[str]) -> tuple[str, str]:
    """Kill the process group, gently first; give what it had printed."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        try:
            return process.communicate(timeout=_GRACE_S)
        except subprocess.TimeoutExpired:
            continue
    # Not even SIGKILL ends a process that waits for a dead disk; whoever asked must not wait with it.
    return "", "it could not be killed: it waits for a device that does not answer"


def _name(words: Sequence[str]) -> str:
    return Path(words[0]).name


def _ending(status: int) -> str:
    if status < 0:
        with contextlib.suppress(ValueError):
            return f"ended by {signal.Signals(-status).name}"
    return f"exit status {status}"


def _masked(text: str, hidden: Sequence[str]) -> str:
    for secret in hidden:
        text = text.replace(secret, MASK)
    return text


def _last_words(text: str, hidden: Sequence[str]) -> str:
    lines = _masked(text, hidden).strip().splitlines()[-_LAST_WORDS_LINES:]
    return "\n".join(lines)[-_LAST_WORDS_CHARACTERS:]


def _pasteable(words: Sequence[str], environment: Mapping[str, str], hidden: Sequence[str]) -> str:
    settings = [f"{key}={shlex.quote(_masked(value, hidden))}" for key, value in environment.items()]
    return " ".join(["LC_ALL=C.UTF-8", *settings, shlex.join(words)])
