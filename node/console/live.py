"""The clerk's surroundings on a real node: how it is read, who may log in, how it is left."""

from __future__ import annotations

import syslog
import threading
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from node.agent.configuration import Desk
from node.agent.health import Told, ask_plugins
from node.console.clerk import Surroundings
from node.console.login import Verdict, judge
from node.console.tries import Tries
from node.console.views import Overview
from node.errors import NodeError
from node.model.status import faults
from node.model.system import Commands
from node.plugin_manager import Plugins
from node.system.commands import LiveCommands
from node.system.passwords import hash_password, verify
from node.system.status import read_status
from node.system.status_inventory import quick_inventory

# libvirt's daemon ends when nobody asked it anything for two minutes; it shall.
PANELS_S = 300.0
_EVENTS = 5
_SOON_S = 1.0
_RUN = Path("/run/node")


class Reader:
    """Reads the node; its panels less often and aside, since these start what they ask and wait for it."""

    def __init__(self, plugins: Plugins, commands: Commands) -> None:
        self._plugins = plugins
        self._commands = commands
        self._told = Told()
        self._panels_at = float("-inf")
        self._thread: threading.Thread | None = None

    def overview(self) -> Overview:
        """Read how it is now."""
        self._have_panels_read()
        status = read_status(self._commands)
        found = (*faults(status), *self._told.unwell) if status.image else ()
        return Overview(
            status,
            self._told.panels,
            found,
            self._events(),
            f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        )

    def _events(self) -> tuple[str, ...]:
        try:
            return tuple(journal(self._commands, "--priority=warning", lines=_EVENTS))
        except NodeError:
            return ()  # the page of the log says why

    def _have_panels_read(self) -> None:
        now = time.monotonic()
        if now - self._panels_at < PANELS_S or (self._thread and self._thread.is_alive()):
            return
        self._panels_at = now
        self._thread = threading.Thread(target=self._read_panels, daemon=True)
        self._thread.start()
        # Mostly they are quick, and then the first page is whole.
        self._thread.join(_SOON_S)

    def _read_panels(self) -> None:
        self._told = ask_plugins(self._plugins, quick_inventory(self._commands))
        self._plugins.rest()


def journal(commands: Commands, *options: str, lines: int) -> list[str]:
    """Give the last lines of this start's journal, oldest first."""
    argv = ["journalctl", "--boot", "--quiet", "--no-pager", "--output=short", f"--lines={lines}", *options]
    return commands.run(argv, timeout_s=20.0).output.splitlines()


def live_surroundings(
    desk: Callable[[], Desk],
    plugins: Plugins,
    lost: Callable[[], Sequence[str]],
    *,
    place: str,
    state: Path,
    rest: Callable[[], None],
) -> Surroundings:
    """Give those of this machine, for the console at the terminal `place`. `plugins` are nobody else's.

    `state` is the file that holds what is stored; `rest` is called when `desk` isn't needed for a while.
    """
    commands = LiveCommands()
    return Surroundings(
        desk=desk,
        overview=Reader(plugins, commands).overview,
        log=lambda lines: journal(commands, lines=lines),
        lost=lost,
        judge=_judge,
        tries=Tries(_RUN / f"console-tries-{place}.json"),
        note=_note,
        leave=lambda how: _leave(how, commands),
        place=place,
        rest=rest,
        stamp=lambda: _stamp(state),
    )


def _stamp(path: Path) -> object:
    """Give what changes with a file that is replaced whole; None where it can't be known."""
    try:
        now = path.stat()
    except OSError:
        return None
    return now.st_ino, now.st_mtime_ns, now.st_size


def _judge(user: str, password: str) -> Verdict:
    return judge(user, password, verify=verify, no_hash=_no_hash())


@cache
def _no_hash() -> str:
    return hash_password("nobody's")


def _note(words: str) -> None:
    syslog.openlog("nodectl", 0, syslog.LOG_AUTHPRIV)
    syslog.syslog(syslog.LOG_NOTICE, f"console: {words}")


def _leave(how: str, commands: Commands) -> None:
    commands.run(["systemctl", "--no-block", how])
