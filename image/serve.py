"""A small development server of a PXE set: HTTP, TFTP, and DHCP by dnsmasq when asked."""

from __future__ import annotations

import asyncio
import ipaddress
import json
import signal
import socket
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import Route

from image import tftp
from image.menus import render_dhcp
from image.process import die_with_parent, run
from image.site import Site
from node.errors import CommandFailedError, InputError, NodeError

Log = Callable[[str], None]


@dataclass(frozen=True)
class Ports:
    """Where to listen. A port of 0 takes any free one; a TFTP port of None leaves TFTP out."""

    address: str
    http: int
    tftp: int | None


def application(site: Site, log: Log) -> Starlette:
    """The site over HTTP: GET with ranges, HEAD, and each request in the log."""

    async def answer(request: Request) -> Response:
        path = request.path_params["path"]
        found = site.find(path)
        client = request.client.host if request.client else "?"
        if found is None:
            log(f"HTTP {client} {request.method} /{path}: not found")
            return PlainTextResponse("not found\n", status_code=404)
        log(f"HTTP {client} {request.method} /{path} {request.headers.get('range', '')}".rstrip())
        if isinstance(found, bytes):
            return Response(found, media_type="text/plain")
        # A firmware takes an ISO for one by its type only.
        kind = "application/vnd.efi-iso" if found.suffix == ".iso" else "application/octet-stream"
        return FileResponse(found, media_type=kind)

    return Starlette(routes=[Route("/{path:path}", answer, methods=["GET", "HEAD"])])


def listen_http(ports: Ports) -> socket.socket:
    """The listening socket. Raises InputError where the address or port isn't to be had."""
    try:
        listener = socket.create_server((ports.address, ports.http))
    except OSError as error:
        raise InputError(
            f"can't listen on {ports.address} port {ports.http}: {error.strerror}",
            mend="name a free port by --http-port; ports under 1024 need root",
        ) from error
    # asyncio does this only for sockets made with IPPROTO_TCP. Connections inherit it, so that the end of a
    # small answer doesn't wait for the acknowledgement of its beginning (40 ms).
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


def serve(site: Site, listener: socket.socket, ports: Ports, dhcp: Sequence[str], log: Log) -> None:
    """Serve until SIGINT or SIGTERM; says `ready http://...` when everything listens.

    Raises InputError where a port isn't to be had, NodeError when dnsmasq ends.
    """
    asyncio.run(_serve(site, listener, ports, dhcp, log))


async def _serve(site: Site, listener: socket.socket, ports: Ports, dhcp: Sequence[str], log: Log) -> None:
    loop = asyncio.get_running_loop()
    config = uvicorn.Config(
        application(site, log), log_level="error", lifespan="off", timeout_graceful_shutdown=1
    )
    http = uvicorn.Server(config)
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, lambda: setattr(http, "should_exit", True))
    if ports.tftp is not None:
        await _listen_tftp(site, ports.address, ports.tftp, log)
    host, port = listener.getsockname()[:2]
    with tempfile.TemporaryDirectory(prefix="node-image-dhcp-") as folder:
        servers = [_start_dnsmasq(name, port, Path(folder)) for name in dhcp]
        try:
            log(f"ready http://{host}:{port}/")
            task = asyncio.ensure_future(http._serve([listener]))
            while not task.done():
                await asyncio.wait([task], timeout=1)
                if any(server.poll() is not None for server in servers):
                    raise NodeError("dnsmasq ended; what it said stands above")
            task.result()
        finally:
            for server in servers:
                server.terminate()
                server.wait()


async def _listen_tftp(site: Site, address: str, port: int, log: Log) -> None:
    loop = asyncio.get_running_loop()
    try:
        await loop.create_datagram_endpoint(lambda: tftp.Server(site.find, log), local_addr=(address, port))
    except OSError as error:
        raise InputError(
            f"can't listen on {address} UDP port {port} for TFTP: {error.strerror}",
            mend="name another by --tftp-port (boot ROMs ask 69, which needs root)",
        ) from error


def _start_dnsmasq(interface: str, http_port: int, folder: Path) -> subprocess.Popen[bytes]:
    network = _network_of(interface)
    path = folder / f"{interface}.conf"
    path.write_text(render_dhcp(interface, network, http_port=http_port), encoding="utf-8")
    argv = ["dnsmasq", "--keep-in-foreground", f"--conf-file={path}"]
    try:
        return subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            # No DHCP server stays on a network whose machines nobody serves any more.
            preexec_fn=die_with_parent,  # noqa: PLW1509 - the server has no other thread yet
        )
    except FileNotFoundError as error:
        raise InputError("dnsmasq is not on this machine", mend="install dnsmasq-base") from error


def _network_of(interface: str) -> ipaddress.IPv4Interface:
    try:
        links = json.loads(run(["ip", "-json", "-4", "address", "show", "dev", interface]))
    except CommandFailedError as error:
        raise InputError(f"--dhcp {interface}: there is no such interface", details=error.details) from error
    addresses = [entry for link in links for entry in link.get("addr_info", ())]
    if not addresses:
        raise InputError(
            f"--dhcp {interface}: the interface has no IPv4 address to give others out of",
            mend=f"give it one: ip address add 192.0.2.1/24 dev {interface}",
        )
    return ipaddress.IPv4Interface(f"{addresses[0]['local']}/{addresses[0]['prefixlen']}")
