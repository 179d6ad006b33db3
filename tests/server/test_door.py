"""So many connections at a time: the next one waits its turn, and every seat is free again one day."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.server.running import Server

SEATS = 2
ASK = b"GET /v1/health HTTP/1.1\r\nHost: here\r\n\r\n"


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Server]:
    server = Server(
        tmp_path, f"sqlite:///{tmp_path / 'node.db'}", ("--connections", str(SEATS), "--patience", "3s")
    )
    server.start()
    yield server
    assert server.stop() == 0, server.log
    assert "Traceback" not in server.log


def address(server: Server) -> tuple[str, int]:
    host, port = server.url.removeprefix("https://").split(":")
    return host, int(port)


def connected(server: Server, timeout_s: float = 30) -> ssl.SSLSocket:
    context = ssl.create_default_context(cafile=str(server.ca))
    plain = socket.create_connection(address(server), timeout=timeout_s)
    try:
        return context.wrap_socket(plain, server_hostname=address(server)[0])
    except BaseException:
        plain.close()
        raise


def test_the_next_one_waits_until_a_seat_is_free(small: Server) -> None:
    with ExitStack() as stack:
        first, _second = (stack.enter_context(connected(small)) for _ in range(SEATS))
        # The kernel takes the connection, and nobody speaks TLS with it.
        with pytest.raises(TimeoutError):
            connected(small, timeout_s=1)
        first.sendall(ASK)
        assert first.recv(4096).startswith(b"HTTP/1.1 200")
        first.close()
        third = stack.enter_context(connected(small))
        third.sendall(ASK)
        assert third.recv(4096).startswith(b"HTTP/1.1 200")


def test_where_others_wait_an_answer_ends_the_connection_soon(small: Server) -> None:
    with ExitStack() as stack:
        kept = [stack.enter_context(connected(small)) for _ in range(SEATS)]
        for each in kept:
            each.sendall(ASK)
            assert each.recv(4096).startswith(b"HTTP/1.1 200")
        # Both are kept open by their clients, which have nothing more to ask.
        with connected(small) as waiting:
            waiting.sendall(ASK)
            assert waiting.recv(4096).startswith(b"HTTP/1.1 200")


def test_every_way_of_leaving_frees_the_seat(small: Server) -> None:
    for _ in range(2 * SEATS):
        # Gone before the handshake, no TLS at all, and silence after it (the patience of three seconds).
        socket.create_connection(address(small)).close()
        with socket.create_connection(address(small), timeout=30) as plain:
            plain.sendall(ASK)
            while plain.recv(4096):
                pass
    with ExitStack() as stack:
        for _ in range(SEATS):
            stack.enter_context(connected(small))
        with connected(small) as waiting:
            waiting.sendall(ASK)
            assert waiting.recv(4096).startswith(b"HTTP/1.1 200")
