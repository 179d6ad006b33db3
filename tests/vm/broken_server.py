"""An HTTP server that behaves badly on purpose, in a way that a script of the test decides."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Self


@dataclass(frozen=True)
class Reply:
    """What is done with one GET of the root image."""

    #: Hang up after so many bytes; None: all.
    cut_after_bytes: int | None = None
    #: Flip the byte at this offset.
    flip_at: int | None = None
    status: int = 200


@dataclass
class BrokenServer:
    """Serves ``folder``; a GET of root.squashfs takes the next reply of ``script``, the last one for ever."""

    folder: Path
    script: list[Reply]
    texts: dict[str, bytes] = field(default_factory=dict)
    #: "GET root.squashfs 1000-" for each request, in order.
    asked: list[str] = field(default_factory=list)

    def __enter__(self) -> Self:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _requests_of(self))
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def url(self) -> str:
        """The server as a guest on QEMU's user network sees it."""
        return f"http://10.0.2.2:{self._server.server_address[1]}"

    def next_reply(self) -> Reply:
        """Take the script's next reply."""
        return self.script.pop(0) if len(self.script) > 1 else self.script[0]


def _requests_of(site: BrokenServer) -> Callable[..., BaseHTTPRequestHandler]:
    class Request(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_HEAD(self) -> None:
            self._answer(body=False)

        def do_GET(self) -> None:
            self._answer(body=True)

        def log_message(self, format: str, *args: object) -> None:
            pass

        def _answer(self, *, body: bool) -> None:
            name = self.path.strip("/")
            if name not in site.texts and not (site.folder / name).is_file():
                self.send_error(404)
                return
            content = site.texts.get(name) or (site.folder / name).read_bytes()
            begin, wanted = 0, self.headers.get("Range", "")
            if wanted:
                begin = int(wanted.removeprefix("bytes=").split("-")[0])
            site.asked.append(f"{self.command} {name} {wanted.removeprefix('bytes=')}".strip())
            reply = site.next_reply() if body and name == "root.squashfs" else Reply()
            if reply.status != 200:
                self.send_error(reply.status)
                return
            if reply.flip_at is not None:
                broken = bytearray(content)
                broken[reply.flip_at] ^= 0xFF
                content = bytes(broken)
            part = content[begin:]
            self.send_response(206 if wanted else 200)
            self.send_header("Content-Length", str(len(part)))
            self.send_header("Accept-Ranges", "bytes")
            if wanted:
                self.send_header("Content-Range", f"bytes {begin}-{len(content) - 1}/{len(content)}")
            self.end_headers()
            if body:
                self.wfile.write(part[: reply.cut_after_bytes])
                self.close_connection = reply.cut_after_bytes is not None

    return Request
