"""Words on the kernel's consoles, where a slow or dead one holds nobody up."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

CONSOLE_TIMEOUT_S = 2.0
# Left in the kernel's log, where no console shows it: whoever draws a screen there paints it anew.
SPOKE = "nodecrust: words on the consoles"


def active_consoles(root: Path = Path("/")) -> list[str]:
    """Give the names of the kernel's consoles, such as tty0 and ttyS0."""
    try:
        return (root / "sys/class/tty/console/active").read_text(encoding="ascii").split()
    except OSError:
        return []


def write_line(
    line: str, consoles: Iterable[str], *, folder: Path = Path("/dev"), timeout_s: float = CONSOLE_TIMEOUT_S
) -> None:
    """Write one line to each console; one that does not take it in time is passed over."""
    for name in consoles:
        try:
            # A tty opened like this neither waits for a carrier nor becomes the controlling one.
            descriptor = os.open(folder / name, os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY)
        except OSError:
            continue
        try:
            _write_all(descriptor, f"{line}\n".encode(), time.monotonic() + timeout_s)
        finally:
            os.close(descriptor)
    with suppress(OSError):
        descriptor = os.open(folder / "kmsg", os.O_WRONLY)
        try:
            os.write(descriptor, f"<7>{SPOKE}\n".encode())
        finally:
            os.close(descriptor)


def _write_all(descriptor: int, data: bytes, deadline: float) -> None:
    while data and time.monotonic() < deadline:
        try:
            data = data[os.write(descriptor, data) :]
        except BlockingIOError:
            time.sleep(0.02)
        except OSError:
            return
