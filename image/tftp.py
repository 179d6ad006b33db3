"""A read-only TFTP server, small: RFC 1350 with the options of RFC 2347 to 2349 and 7440.

dnsmasq's listens on port 69 only, which an ordinary user may not; this one takes any port.
"""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

# What a name leads to: a file, content made on the fly, or nothing.
Find = Callable[[str], Path | bytes | None]

_RRQ, _WRQ, _DATA, _ACK, _ERROR, _OACK = range(1, 7)
_NOT_FOUND, _DENIED, _BAD_OPERATION = 1, 2, 4

_DEFAULT_BLOCK = 512
_BLOCK_RANGE = (8, 65464)  # RFC 2348
_WINDOW_RANGE = (1, 64)  # RFC 7440 admits more; more than this helps no boot ROM
_TIMEOUT_S = 1.0
_TRIES = 8
_NUMBERS = 1 << 16


def parse_request(packet: bytes) -> tuple[int, str, dict[str, int]]:
    """Operation, file name and the numeric options of a request. Raises ValueError for anything else."""
    if len(packet) < 4:
        raise ValueError("a packet too short for a request")
    operation = int.from_bytes(packet[:2], "big")
    if operation not in (_RRQ, _WRQ):
        raise ValueError("no request")
    words = packet[2:].split(b"\0")
    if len(words) < 3:
        raise ValueError("a request without a mode")
    texts = [word.decode("utf-8", "replace") for word in words[:-1]]
    pairs = zip(texts[2::2], texts[3::2], strict=False)
    options = {name.lower(): int(value) for name, value in pairs if value.isdecimal()}
    return operation, texts[0], options


def accept_options(asked: dict[str, int], size: int) -> dict[str, int]:
    """The options of a request that are granted, with the values that count."""
    granted: dict[str, int] = {}
    if asked.get("blksize", 0) >= _BLOCK_RANGE[0]:
        granted["blksize"] = min(asked["blksize"], _BLOCK_RANGE[1])
    if "tsize" in asked:
        granted["tsize"] = size
    if asked.get("windowsize", 0) >= _WINDOW_RANGE[0]:
        granted["windowsize"] = min(asked["windowsize"], _WINDOW_RANGE[1])
    return granted


def full_number(acked: int, number: int) -> int:
    """The block that a 16-bit number means: the next one not before `acked` (numbers start again at 0)."""
    return acked + (number - acked) % _NUMBERS


class _Transfer(asyncio.DatagramProtocol):
    """One file on its way to one client, from a port of its own."""

    def __init__(self) -> None:
        self.arrived: asyncio.Queue[bytes] = asyncio.Queue()

    def datagram_received(self, data: bytes, _: Any) -> None:
        self.arrived.put_nowait(data)

    def error_received(self, _: Exception) -> None:
        # The client is gone; the next wait ends it.
        self.arrived.put_nowait(b"")


class Server(asyncio.DatagramProtocol):
    """Answers read requests with what `find` gives; everything else is refused."""

    def __init__(self, find: Find, log: Callable[[str], None]) -> None:
        self._find = find
        self._log = log
        self._running: set[asyncio.Task[None]] = set()
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport; asyncio calls this once."""
        self._transport = transport  # type: ignore[assignment]

    def datagram_received(self, data: bytes, address: Any) -> None:
        """Start a transfer, or say why not."""
        assert self._transport is not None
        try:
            operation, name, options = parse_request(data)
        except ValueError as error:
            self._transport.sendto(_error(_BAD_OPERATION, str(error)), address)
            return
        found = self._find(name) if operation == _RRQ else None
        if operation == _WRQ:
            self._transport.sendto(_error(_DENIED, "read only"), address)
        elif found is None:
            self._log(f"TFTP {address[0]} {name}: not found")
            self._transport.sendto(_error(_NOT_FOUND, "not found"), address)
        else:
            self._log(f"TFTP {address[0]} {name}")
            task = asyncio.ensure_future(_serve(found, options, address))
            self._running.add(task)
            task.add_done_callback(self._running.discard)


def _error(code: int, words: str) -> bytes:
    return struct.pack("!HH", _ERROR, code) + words.encode() + b"\0"


async def _serve(found: Path | bytes, asked: dict[str, int], address: Any) -> None:
    loop = asyncio.get_running_loop()
    data = found if isinstance(found, bytes) else await loop.run_in_executor(None, found.read_bytes)
    transport, transfer = await loop.create_datagram_endpoint(_Transfer, remote_addr=address)
    try:
        granted = accept_options(asked, len(data))
        if granted:
            words = b"".join(f"{name}\0{value}\0".encode() for name, value in granted.items())
            if await _exchange(transport, transfer, [struct.pack("!H", _OACK) + words], 0, 0) is None:
                return
        await _send(transport, transfer, data, granted)
    finally:
        transport.close()


async def _send(
    transport: asyncio.DatagramTransport, transfer: _Transfer, data: bytes, granted: dict[str, int]
) -> None:
    block = granted.get("blksize", _DEFAULT_BLOCK)
    window = granted.get("windowsize", 1)
    # A last block shorter than the others ends the transfer, if need be an empty one.
    count = len(data) // block + 1
    acked = 0
    while acked < count:
        packets = [
            struct.pack("!HH", _DATA, number % _NUMBERS) + data[(number - 1) * block : number * block]
            for number in range(acked + 1, min(acked + window, count) + 1)
        ]
        reached = await _exchange(transport, transfer, packets, acked, acked + len(packets))
        if reached is None:
            return
        acked = reached


async def _exchange(
    transport: asyncio.DatagramTransport, transfer: _Transfer, packets: list[bytes], acked: int, last: int
) -> int | None:
    """Send packets until one that is new is acknowledged: its number, or None when the client gave up."""
    for _ in range(_TRIES):
        for packet in packets:
            transport.sendto(packet)
        try:
            while True:
                reply = await asyncio.wait_for(transfer.arrived.get(), _TIMEOUT_S)
                operation = int.from_bytes(reply[:2], "big")
                if operation == _ERROR or len(reply) < 4:
                    return None
                number = full_number(acked, int.from_bytes(reply[2:4], "big"))
                # An acknowledgement that came twice is not answered, or every packet would go twice.
                if operation == _ACK and (acked < number <= last or number == last):
                    return number
        except TimeoutError:
            continue
    return None
