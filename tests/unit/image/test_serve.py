"""The development server's listening socket."""

from __future__ import annotations

import socket

import pytest

from image.serve import Ports, listen_http

pytestmark = pytest.mark.effects("sockets")


def test_connections_send_at_once_what_they_have() -> None:
    with (
        listen_http(Ports("127.0.0.1", 0, None)) as listener,
        socket.create_connection(listener.getsockname()[:2]),
        listener.accept()[0] as accepted,
    ):
        assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) != 0
