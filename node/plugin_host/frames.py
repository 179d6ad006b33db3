"""Messages on a pipe: four bytes of length, most significant first, and as many of JSON."""

from __future__ import annotations

import json
import os
import struct
from typing import Any

LENGTH = struct.Struct(">I")
# What a hook gives is looked at by people, or is a few files; and memory is short while installing.
MOST_BYTES = 8 << 20
# Arguments that the host keeps, so that an inventory is sent once for all plugins; both ends count alike.
KEPT_ARGUMENTS = 16


class FrameError(ValueError):
    """What came is no message, or one that is too long."""


def to_frame(message: Any, most: int = MOST_BYTES) -> bytes:
    """Give a message's bytes; FrameError where it is too long or no plain data."""
    try:
        body = json.dumps(message, separators=(",", ":"), allow_nan=False).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise FrameError(f"no plain data: {error}") from None
    if len(body) > most:
        raise FrameError(f"{len(body) / (1 << 20):.0f} MiB; at most {most >> 20} MiB are taken")
    return LENGTH.pack(len(body)) + body


def from_body(body: bytes) -> Any:
    """Read the JSON of a message."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise FrameError(f"no JSON: {type(error).__name__}") from None


def read_exactly(fd: int, size: int) -> bytes:
    """Read from a blocking descriptor; EOFError where it ends before."""
    data = bytearray()
    while len(data) < size:
        part = os.read(fd, min(size - len(data), 1 << 20))
        if not part:
            raise EOFError("the other end is closed")
        data += part
    return bytes(data)


def write_all(fd: int, data: bytes) -> None:
    """Write to a blocking descriptor."""
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]
