"""Lets so many connections in at a time; the others wait in the kernel's queue, which is short.

A rack that comes back from a power cut arrives at once. Let in all of it, and each connection takes its
memory and a share of the time, until all have waited longer than they are willing to and come again: then the
work that was done for them was for nothing. Who stays outside costs nothing, and is in soon or away soon.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import ssl
from collections.abc import Callable

_LOG = logging.getLogger("node-server")
# A node waits 10 s for its connection. What waits here longer is dead when its turn comes, so that few shall.
WAITING = 256
_HANDSHAKE_S = 10.0
# Who is told of the end and has nothing more to ask doesn't look at its connection, perhaps for long.
_FAREWELL_S = 2.0
# Out of files or memory: nothing gets better by asking at once.
_PAUSE_S = 1.0

Protocol = Callable[[Callable[[], None]], asyncio.Protocol]
"""Makes the protocol of a connection; it calls what it is given when that one is over."""


class Door:
    """Accepts the connections of one listening socket. For `uvicorn.Server`, which closes its servers."""

    def __init__(
        self, listener: socket.socket, context: ssl.SSLContext, make: Protocol, *, seats: int
    ) -> None:
        self._listener = listener
        self._context = context
        self._make = make
        self._free = asyncio.Semaphore(seats)
        self._coming: set[asyncio.Task[None]] = set()
        listener.setblocking(False)
        listener.listen(WAITING)
        self._accepting = asyncio.create_task(self._accept())

    @property
    def is_full(self) -> bool:
        """Tell whether the next one has to wait outside."""
        return self._free.locked()

    def close(self) -> None:
        """Let nobody in any more."""
        self._accepting.cancel()
        for task in self._coming:
            task.cancel()

    async def wait_closed(self) -> None:
        """Wait until all of that has come about."""
        await asyncio.gather(self._accepting, *self._coming, return_exceptions=True)

    async def _accept(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await self._free.acquire()
            try:
                connection, _ = await loop.sock_accept(self._listener)
            except ConnectionError:
                self._free.release()
            except OSError as error:
                self._free.release()
                _LOG.warning("no connection can be taken, trying again: %s", error.strerror)
                await asyncio.sleep(_PAUSE_S)
            else:
                task = asyncio.create_task(self._welcome(connection))
                self._coming.add(task)
                task.add_done_callback(self._coming.discard)

    async def _welcome(self, connection: socket.socket) -> None:
        """Have a connection handled, and its seat free when it is over, however that comes about."""
        is_over = asyncio.Event()
        try:
            with contextlib.suppress(OSError):
                await asyncio.get_running_loop().connect_accepted_socket(
                    lambda: self._make(is_over.set),
                    connection,
                    ssl=self._context,
                    ssl_handshake_timeout=_HANDSHAKE_S,
                    ssl_shutdown_timeout=_FAREWELL_S,
                )
                await is_over.wait()
        finally:
            self._free.release()
