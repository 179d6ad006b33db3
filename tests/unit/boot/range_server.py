"""A small HTTP server with range requests and the faults that real ones have."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

CHUNK = 1 << 16


@dataclass
class Faults:
    """What goes wrong. Each list entry is used up by one GET."""

    ranges: bool = True
    head: bool = True
    cut_after: list[int] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)


@dataclass
class Served:
    """What was asked: method, path and the Range header, in order."""

    requests: list[tuple[str, str, str]] = field(default_factory=list)


class RangeServer(ThreadingHTTPServer):
    """Serves the files of a folder on a free port of the loopback."""

    daemon_threads = True

    def __init__(self, folder: Path, faults: Faults | None = None, port: int = 0) -> None:
        self.folder = folder
        self.faults = faults or Faults()
        self.served = Served()
        super().__init__(("127.0.0.1", port), _Answer)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def __enter__(self) -> RangeServer:
        Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()


class _Answer(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: RangeServer

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def do_GET(self) -> None:
        self._answer(body=True)

    def log_message(self, format: str, *args: object) -> None:
        pass

    def _answer(self, *, body: bool) -> None:
        faults = self.server.faults
        wanted = self.headers.get("Range", "")
        self.server.served.requests.append((self.command, self.path, wanted))
        path = self.server.folder / self.path.lstrip("/")
        status = faults.statuses.pop(0) if body and faults.statuses else 200
        if not body and not faults.head:
            status = 405
        if status != 200 or not path.is_file():
            self.send_response(status if status != 200 else 404)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        self._send(path, wanted if faults.ranges else "", body=body)

    def _send(self, path: Path, wanted: str, *, body: bool) -> None:
        size = path.stat().st_size
        start = int(match[1]) if (match := re.match(r"bytes=(\d+)-$", wanted)) else 0
        if start >= size > 0:
            self.send_response(416)
            self.send_header("Content-Range", f"bytes */{size}")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        self.send_response(206 if match else 200)
        if match:
            self.send_header("Content-Range", f"bytes {start}-{size - 1}/{size}")
        self.send_header("Content-Length", str(size - start))
        self.end_headers()
        if not body:
            return
        cut_after = self.server.faults.cut_after
        left = cut_after.pop(0) if cut_after else size
        with path.open("rb") as file:
            file.seek(start)
            while left > 0 and (chunk := file.read(min(CHUNK, left))):
                self.wfile.write(chunk)
                left -= len(chunk)
        if left <= 0:
            self.close_connection = True


if __name__ == "__main__":
    with RangeServer(Path(sys.argv[1]), port=int(sys.argv[2])) as running:
        sys.stdout.write(f"ready {running.url}\n")
        sys.stdout.flush()
        sys.stdin.read()
