"""The pipes to a living host: one request, and the answer to it in time, or words on why there is none."""

from __future__ import annotations

import os
import selectors
import time
from collections import OrderedDict
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from node.plugin_host.frames import KEPT_ARGUMENTS, LENGTH, MOST_BYTES, FrameError, from_body, to_frame
from node.plugin_host.words import shown

_MOST_REQUEST = 64 << 20
_MOST_OUTPUT = 8 << 20
_KEPT_OUTPUT = 16 << 10
_LINE = 200
_PART = 1 << 18


class BrokenError(Exception):
    """The host is of no more use; in words that blame whoever was asked, or none where it just ended."""


class Channel:
    """Our ends of a host's pipes, none of which blocks. `pid` is the host's."""

    def __init__(self, pid: int, requests: int, answers: int, output: int) -> None:
        self.pid = pid
        self._requests, self._answers, self._output = requests, answers, output
        self._sent: OrderedDict[int, None] = OrderedDict()
        self._said = b""
        self._said_bytes = 0
        self._number = 0
        for fd in (requests, answers, output):
            os.set_blocking(fd, False)

    def exchange(self, request: dict[str, Any], timeout_s: float) -> Mapping[str, Any]:
        """Send a request and give the answer to it.

        BrokenError where none comes in time, or another; FrameError where the request can't be sent at all.
        """
        self._number += 1
        data = to_frame({**self._with_arguments(request), "id": self._number}, most=_MOST_REQUEST)
        deadline = time.monotonic() + timeout_s
        self._said, self._said_bytes = b"", 0
        received = bytearray()
        with selectors.DefaultSelector() as selector:
            selector.register(self._answers, selectors.EVENT_READ)
            selector.register(self._output, selectors.EVENT_READ)
            selector.register(self._requests, selectors.EVENT_WRITE)
            while True:
                if (left := deadline - time.monotonic()) <= 0:
                    raise BrokenError(f"took longer than {timeout_s:.3g} s")
                for key, _ in selector.select(left):
                    if key.fd == self._requests:
                        data = self._send(data)
                        if not data:
                            selector.unregister(self._requests)
                    elif key.fd == self._output:
                        if not self._listen():
                            selector.unregister(self._output)
                    else:
                        self._receive(received)
                if len(received) >= LENGTH.size and (answer := _whole(received)) is not None:
                    if answer.get("id") != self._number:
                        raise BrokenError("wrote what is no answer of the plugin host")
                    return answer

    def send_arguments_anew(self) -> None:
        """Send each argument whole the next time: one of them may be what could not be read."""
        self._sent.clear()

    def said(self) -> tuple[str, ...]:
        """Give the last lines that were printed since the last request, fit to be shown."""
        with suppress(OSError, BrokenError):
            self._listen()
        lines = self._said.decode(errors="replace").strip().splitlines()
        return tuple(shown(line, _LINE) for line in lines)

    def close(self) -> None:
        """Let go of the pipes."""
        for fd in (self._requests, self._answers, self._output):
            with suppress(OSError):
                os.close(fd)

    def _with_arguments(self, request: dict[str, Any]) -> dict[str, Any]:
        if "arguments" not in request:
            return request
        arguments = {}
        for name, (number, text) in request["arguments"].items():
            # What a host was sent, it has: an inventory is the same for every plugin.
            known = number in self._sent
            arguments[name] = {"number": number} if known else {"number": number, "json": text}
            self._sent[number] = None
            while len(self._sent) > KEPT_ARGUMENTS:
                self._sent.popitem(last=False)
        return {**request, "arguments": arguments}

    def _send(self, data: bytes) -> bytes:
        try:
            return data[os.write(self._requests, data) :]
        except BlockingIOError:
            return data
        except OSError:
            raise BrokenError from None

    def _receive(self, received: bytearray) -> None:
        try:
            part = os.read(self._answers, _PART)
        except BlockingIOError:
            return
        if not part:
            raise BrokenError
        received += part

    def _listen(self) -> bool:
        """Keep the last of what a plugin prints; False where it can't print any more."""
        try:
            part = os.read(self._output, _PART)
        except BlockingIOError:
            return True
        self._said = (self._said + part)[-_KEPT_OUTPUT:]
        self._said_bytes += len(part)
        if self._said_bytes > _MOST_OUTPUT:
            self._said = b""
            raise BrokenError(f"printed more than {_MOST_OUTPUT >> 20} MiB")
        return bool(part)


def _whole(received: bytearray) -> dict[str, Any] | None:
    """Give the answer once it is there whole."""
    (size,) = LENGTH.unpack(received[: LENGTH.size])
    if size > MOST_BYTES:
        raise BrokenError("wrote what is no answer of the plugin host")
    if len(received) < LENGTH.size + size:
        return None
    try:
        answer = from_body(bytes(received[LENGTH.size :]))
    except FrameError:
        answer = None
    if not isinstance(answer, dict):
        raise BrokenError("wrote what is no answer of the plugin host")
    return answer
