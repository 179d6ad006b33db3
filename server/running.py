"""node-server run: from nothing, or from what was there, to a server that listens."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import resource
import signal
import socket
import ssl
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import uvicorn
from sqlalchemy.exc import SQLAlchemyError

from node.errors import InputError
from server import events
from server.admin import first_admin_token
from server.api.app import application
from server.ca import Authority, has_authority, open_authority
from server.certificates import grouped
from server.database import AWAY, CONNECTIONS, Database, first_line, migrate, open_database
from server.door import Door
from server.known_ca import remember, require_no_ca_known
from server.names import listen_on, names_of_server, read_listen
from server.nodes import mark_stale
from server.place import Place
from server.settings import Settings
from server.site import Site
from server.tls import PeerProtocol, server_context
from server.workers import Bond, supervise

_LOG = logging.getLogger("node-server")
_DAY_S = 86400
# Of connections to the database that one process needs to get on.
_LEAST = 5
Say = Callable[[str], None]


@dataclass(frozen=True)
class Offer:
    """How it is reached, by how many processes, and whether by a CA that its nodes don't know yet."""

    listen: str
    names: Sequence[str]
    workers: int = 1
    new_ca: bool = False


def open_site(place: Place, settings: Settings, *, new_ca: bool = False) -> Site:
    """Make or open everything that a server has: folder, database with its tables, CA.

    InputError, before a CA is made, where the nodes of the database know another one that isn't here;
    unless it is to be a `new_ca`, which leaves one that is here as it is.
    """
    # First: a URL that is none leaves nothing behind.
    database = open_database(place.database_url)
    try:
        with _usable(place.data):
            place.data.mkdir(parents=True, exist_ok=True, mode=0o700)
        migrate(database)
        folder = place.data / "ca"
        with _usable(place.data):
            is_there = has_authority(folder)
        if not new_ca and not is_there:
            with database.read() as session:
                require_no_ca_known(session)
        with _usable(place.data):
            authority = open_authority(folder, create=True)
        database.change(lambda session: remember(session, authority.fingerprint, new=new_ca))
    except BaseException:
        database.engine.dispose()
        raise
    return Site(database, authority, settings, place.data)


@contextlib.contextmanager
def _usable(data: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise InputError(
            f"{data} can't be used: {error.strerror}", mend="name another folder by --data"
        ) from error


def run(place: Place, offer: Offer, settings: Settings, say: Say) -> None:
    """Serve until SIGINT or SIGTERM. Says `ready https://...` when it listens.

    InputError, before anything is made, where it can't be as asked.
    """
    address, port = read_listen(offer.listen)
    names = names_of_server(address, offer.names)
    _require_workers(place, offer.workers)
    _take_all_files()
    with listen_on(address, port) as listener:
        site = open_site(place, settings, new_ca=offer.new_ca)
        try:
            first_admin_token(site.database, place.data, say)
            say(f"CA fingerprint {site.authority.fingerprint}")
            say(f"               {grouped(site.authority.fingerprint)}")
            host, port = listener.getsockname()[:2]
            ready = partial(say, f"ready https://{f'[{host}]' if ':' in host else host}:{port}")
            if offer.workers == 1:
                asyncio.run(_serve(site, listener, names, ready))
                return

            def work(bond: Bond) -> None:
                with _own_database(place, offer.workers) as database:
                    mine = replace(site, database=database)
                    asyncio.run(_serve(mine, listener, names, bond.say_started, bond))

            # Connections to the database are a process's own.
            site.database.engine.dispose()
            supervise(offer.workers, work, ready)
        finally:
            site.database.engine.dispose()


def _require_workers(place: Place, workers: int) -> None:
    if workers > 1 and place.database_url.startswith("sqlite"):
        raise InputError(
            f"{workers} workers need PostgreSQL: SQLite has one writer at a time, and processes that wait "
            "for it get their turn by luck",
            mend="name one by --database postgresql://..., or leave --workers out",
        )


def _take_all_files() -> None:
    """Raise the limit of open files as far as it goes: a connection is one, and the usual 1024 are few."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


@contextlib.contextmanager
def _own_database(place: Place, workers: int) -> Iterator[Database]:
    """Open the database for one of several processes, which share what one would take of connections."""
    database = open_database(place.database_url, connections=max(_LEAST, CONNECTIONS // workers))
    try:
        yield database
    finally:
        database.engine.dispose()


class _Server(uvicorn.Server):
    """Ends well on a signal; uvicorn's own way raises the signal once more afterwards."""

    def __init__(
        self, config: uvicorn.Config, settings: Settings, context: ssl.SSLContext, bond: Bond | None
    ) -> None:
        super().__init__(config)
        self.settings = settings
        self.context = context
        self.bond = bond

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Open the door, where uvicorn would let in everybody at once."""
        await self.lifespan.startup()
        assert sockets
        settings = self.settings

        def make(on_over: Callable[[], None]) -> PeerProtocol:
            return PeerProtocol(
                patience_s=settings.patience_s,
                crowded=lambda: door.is_full,
                on_over=on_over,
                config=self.config,
                server_state=self.server_state,
                app_state=self.lifespan.state,
            )

        door = Door(sockets[0], self.context, make, seats=settings.seats)
        # It closes them when it ends, and no more.
        self.servers = [door]  # type: ignore[list-item]
        self.started = True

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Ask for the end on SIGINT and SIGTERM; the second one doesn't wait for connections."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM) if self.bond is None else (signal.SIGTERM,):
            loop.add_signal_handler(number, self.handle_exit, number, None)
        if self.bond is not None:
            # Nobody writes to it: it is readable when the parent is gone.
            loop.add_reader(self.bond.alive, self._orphaned)
        yield

    def _orphaned(self) -> None:
        assert self.bond is not None
        asyncio.get_running_loop().remove_reader(self.bond.alive)
        self.handle_exit(signal.SIGTERM, None)


async def _serve(
    site: Site,
    listener: socket.socket,
    names: Sequence[str],
    ready: Callable[[], None],
    bond: Bond | None = None,
) -> None:
    certificate = site.authority.server_file(names)
    context = server_context(certificate, site.authority.pem, _refusals(site))
    config = uvicorn.Config(
        application(site),
        loop="asyncio",
        lifespan="off",
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=20,
        timeout_graceful_shutdown=5,
    )
    config.load()
    # uvicorn looks at it to know the scheme of what it serves; it would make another by itself.
    config.ssl = context
    server = _Server(config, site.settings, context, bond)
    chores = [asyncio.create_task(_renew(context, site.authority, names))]
    if bond is None or bond.number == 0:
        chores.append(asyncio.create_task(_look_for_silence(site)))
    serving = asyncio.create_task(server.serve([listener]))
    try:
        while not server.started and not serving.done():
            await asyncio.sleep(0.01)
        if server.started:
            ready()
        await serving
    finally:
        for chore in chores:
            chore.cancel()


async def _look_for_silence(site: Site) -> None:
    """Make silent nodes stale, several times within the time that they may be silent.

    Not before they could have spoken to us: while the server was away, it was not they who were silent.
    """
    silence = site.settings.silence
    await asyncio.sleep(silence.total_seconds())
    while True:
        try:
            await asyncio.to_thread(site.database.change, lambda session: mark_stale(session, silence))
        except AWAY as error:
            # Again and again, for as long as it is away: a line, not a traceback.
            _LOG.warning("could not look for silent nodes, trying again: %s", first_line(error))
        except SQLAlchemyError:
            _LOG.exception("could not look for silent nodes; trying again")
        await asyncio.sleep(max(0.2, silence.total_seconds() / 10))


async def _renew(context: ssl.SSLContext, authority: Authority, names: Sequence[str]) -> None:
    """Renew the server's own certificate before it ends; connections made from then on have the new one."""
    while True:
        await asyncio.sleep(_DAY_S)
        with contextlib.suppress(OSError):
            context.load_cert_chain(authority.server_file(names))


def _refusals(site: Site) -> Callable[[str], None]:
    """Write down that the handshake refused certificates, seldom for each of OpenSSL's reasons."""

    def refused(reason: str) -> None:
        if not site.told.is_time(f"handshake {reason}"):
            return
        words = f"a client's certificate was refused in the handshake: {reason}"
        _LOG.warning(words)

        def note() -> None:
            with contextlib.suppress(SQLAlchemyError):
                site.database.change(
                    lambda session: events.record(
                        session, "certificate-refused", words, who="address:unknown"
                    )
                )

        asyncio.get_running_loop().run_in_executor(None, note)

    return refused
