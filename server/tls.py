"""TLS with certificates of clients that may be shown, and uvicorn's protocol that hands them on."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol

from server.api.peer import PEER

_CROWDED_S = 1


def server_context(
    certificate: Path, ca_pem: bytes, on_refused: Callable[[str], None] = lambda _: None
) -> ssl.SSLContext:
    """Make the context: TLS 1.2 and newer, our own certificate, clients' only of our CA, or none.

    A client with a certificate of another CA, or one that is over, is refused in the handshake;
    `on_refused` gets the reason.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(certificate)
    context.load_verify_locations(cadata=ca_pem.decode())
    context.verify_mode = ssl.CERT_OPTIONAL

    class Watched(ssl.SSLObject):
        """Python offers no other place that tells why a client was refused."""

        def do_handshake(self) -> None:
            try:
                super().do_handshake()
            except ssl.SSLCertVerificationError as error:
                on_refused(error.verify_message)
                raise

    context.sslobject_class = Watched
    return context


class PeerProtocol(H11Protocol):
    """HTTP/1.1 that puts the certificate of the connection into each request's scope."""

    def __init__(
        self,
        *,
        patience_s: float,
        crowded: Callable[[], bool],
        on_over: Callable[[], None],
        **uvicorns: Any,
    ) -> None:
        """Wait `patience_s` for the first request; call `on_over` when the connection is over.

        Where it is `crowded`, others want the place of one that has had its answer.
        """
        super().__init__(**uvicorns)
        self._patience_s = patience_s
        self._crowded = crowded
        self._on_over = on_over
        self._first_request: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        """Read the certificate once a connection."""
        super().connection_made(transport)
        tls = transport.get_extra_info("ssl_object")
        der = tls.getpeercert(binary_form=True) if tls is not None else None
        app = self.app

        async def with_peer(scope: Any, receive: Any, send: Any) -> None:
            self._stop_waiting()
            scope[PEER] = der
            await app(scope, receive, send)

        self.app = with_peer
        self._first_request = self.loop.call_later(self._patience_s, transport.close)

    def on_response_complete(self) -> None:
        """Wait for the next request, long or not."""
        self.timeout_keep_alive = _CROWDED_S if self._crowded() else self.config.timeout_keep_alive
        super().on_response_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop waiting."""
        self._stop_waiting()
        try:
            super().connection_lost(exc)
        finally:
            self._on_over()

    def _stop_waiting(self) -> None:
        if self._first_request is not None:
            self._first_request.cancel()
            self._first_request = None
