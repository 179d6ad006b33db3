"""Around every request: how large and how slow a body may be, what every answer says, one line in the log."""

from __future__ import annotations

import asyncio
import logging
import time

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from server.api.problem import problem

_LOG = logging.getLogger("node-server")
_KIB = 1024
_LARGEST = 256 * _KIB
_LARGEST_FACTS = 1024 * _KIB
_BODY_S = 30
# So much more is read and thrown away: who still sends would lose the answer to a connection that closes.
_PATIENCE = 8 * 1024 * _KIB
_HEADERS = [
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
    # Not no-referrer: with that, browsers call the origin of our own forms "null".
    (b"referrer-policy", b"same-origin"),
    (b"x-frame-options", b"DENY"),
    (b"strict-transport-security", b"max-age=31536000"),
]


class Limits:
    """Reads bodies whole, within limits, before the application sees the request."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer 413 or 408."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        start = time.perf_counter()
        status = 0

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                named = {name.lower() for name, _ in message["headers"]}
                message["headers"] = [*message["headers"], *(h for h in _HEADERS if h[0] not in named)]
            await send(message)

        try:
            body = await asyncio.wait_for(_read(scope, receive), _BODY_S)
        except TimeoutError:
            await problem(408, "too-slow", "the body did not come in time")(scope, receive, sending)
        except _GoneError:
            return
        else:
            if body is None:
                answer = problem(413, "too-large", f"the body has more than {_limit(scope) // _KIB} KiB")
                await answer(scope, receive, sending)
            else:
                await self._app(scope, _replay(body, receive), sending)
        finally:
            client = scope["client"][0] if scope.get("client") else "-"
            # The path alone: a query and headers may hold what nobody should read; repr shows odd characters.
            _LOG.info(
                "%s %s %r %s %.0f ms",
                client,
                scope["method"],
                scope["path"][:200],
                status or "-",
                (time.perf_counter() - start) * 1000,
            )


class _GoneError(Exception):
    """The other side closed before its body was whole."""


def _limit(scope: Scope) -> int:
    return _LARGEST_FACTS if scope["path"].endswith("/facts") else _LARGEST


async def _read(scope: Scope, receive: Receive) -> bytes | None:
    """Read a body; None where it is too large."""
    limit = _limit(scope)
    body = bytearray()
    thrown_away = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise _GoneError
        body += message.get("body", b"")
        if len(body) > limit:
            thrown_away += len(body)
            body.clear()
        if thrown_away > _PATIENCE or not message.get("more_body", False):
            return None if thrown_away else bytes(body)


def _replay(body: bytes, receive: Receive) -> Receive:
    sent = False

    async def replayed() -> Message:
        nonlocal sent
        if sent:
            return await receive()
        sent = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replayed
