"""TLS with certificates of clients that may be shown, and uvicorn's protocol that hands them on."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol

from server.api.peer import PEER


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

    # Who connects and says nothing is not waited for.
    patience_s = 20.0
    _first_request: asyncio.TimerHandle | None = None

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
        self._first_request = self.loop.call_later(self.patience_s, transport.close)

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop waiting."""
        self._stop_waiting()
        super().connection_lost(exc)

    def _stop_waiting(self) -> None:
        if self._first_request is not None:
            self._first_request.cancel()
            self._first_request = None
