"""nodectl console."""

from __future__ import annotations

import locale
import os
import socket
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import click

from node.cli.config_change import who
from node.errors import InputError, NodeError, UnfitMachineError
from node.locale import use
from node.model.answers import Section

KERNEL_LOG = Path("/dev/kmsg")
# The main screen, all attributes off, a cursor: what screens that failed leave undone.
_LEFT = "\x1b[0m\x1b[?1049l\x1b[?7h\x1b[?25h\r\n"
_LOCALES = (Path("/etc/locale.conf"), Path("/etc/default/locale"))


@click.command()
@click.option("--prompt", is_flag=True, help="What stands above a log-in prompt: nobody is logged in.")
@click.option("--demo", is_flag=True, help="The console of a recorded node. Nothing is real.")
def command(*, prompt: bool, demo: bool) -> int:
    """Look after this node at its console.

    Shows how it is and its log; changes network, access and logging; restarts it or switches it off. A change
    of the network is taken back by itself unless it is kept. On the node's own consoles, changing anything
    needs a log-in as an admin.
    """
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise InputError("the console needs a terminal", mend="Call it from one")
    use(_language())
    if demo:
        from node.demo.console import run_demo_console  # noqa: PLC0415 - urwid only once all is well

        return run_demo_console()
    if os.geteuid() != 0:
        raise InputError("only root can look after a node", mend="Run it with sudo, or with --demo")
    return _run(prompt=prompt)


def _run(*, prompt: bool) -> int:
    from node.boot.rendering import load_plugins  # noqa: PLC0415
    from node.cli.config_desk import open_office  # noqa: PLC0415 - all of it takes time to load
    from node.cli.persist_text import change_lines  # noqa: PLC0415
    from node.console.apart import CRASHED, end_with_parent, given_back, run_apart  # noqa: PLC0415
    from node.console.clerk import Clerk  # noqa: PLC0415
    from node.console.live import live_surroundings  # noqa: PLC0415
    from node.persist.kept_diff import NO_NODE, read_lost  # noqa: PLC0415
    from node.persist.kept_places import KeptPlaces  # noqa: PLC0415
    from node.persist.store import STATE_FILE  # noqa: PLC0415

    if prompt:
        end_with_parent()  # the getty's unit ends its shell alone
    place = Path(os.ttyname(sys.stdin.fileno())).name
    office = open_office()

    def lost() -> list[str]:
        places = KeptPlaces()
        if places.tree().image is None:
            raise UnfitMachineError(NO_NODE)
        return change_lines(read_lost(places))

    # A console stands for months, and what plugins take meanwhile isn't ours to know.
    office.plugins.rest()
    around = live_surroundings(
        lambda: office.desk,
        load_plugins(),
        lost,
        place=place,
        state=office.config / STATE_FILE,
        rest=office.plugins.rest,
    )
    clerk = Clerk(around, user="" if prompt else who())
    with given_back(sys.stdin.fileno()):
        code = run_apart(clerk, _screens(place, office.kept_sections, prompt=prompt))
    if code == CRASHED:
        click.echo(_LEFT, nl=False)
    # Whatever became of the screens, the log-in prompt comes next.
    if prompt:
        return 0
    if code == CRASHED:
        raise NodeError("the console's screens failed", mend="Look into nodectl's log, and report it")
    return code


def _screens(
    place: str, sections: tuple[Section, ...], *, prompt: bool
) -> Callable[[socket.socket, socket.socket], int]:
    from node.console.app import App  # noqa: PLC0415 - urwid only here
    from node.console.wire import Remote  # noqa: PLC0415
    from node.tui.terminal import Terminal, look_of  # noqa: PLC0415

    # Nobody may open it but root; without it a message of the kernel stays until Ctrl-L.
    kernel_log = None
    with suppress(OSError):
        kernel_log = os.open(KERNEL_LOG, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        os.lseek(kernel_log, 0, os.SEEK_END)
    serial = not place.removeprefix("tty").isdigit()
    # A line tells nobody what it can show; the kernel's own terminals have known UTF-8 for long.
    charmap = ("ascii" if serial else "utf-8") if prompt else _charmap()
    look = look_of(os.environ.get("TERM", ""), charmap, serial=serial and prompt)

    def run(reading: socket.socket, acting: socket.socket) -> int:
        terminal = Terminal(sys.stdin.fileno(), sys.stdout.fileno(), name=place, look=look)
        app = App(terminal, Remote(reading), Remote(acting), sections, prompt=prompt, kernel_log=kernel_log)
        return app.run()

    return run


def _charmap() -> str:
    try:
        locale.setlocale(locale.LC_CTYPE, "")
    except locale.Error:
        return ""
    return locale.nl_langinfo(locale.CODESET)


def _language() -> str:
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        if value := os.environ.get(name):
            return value
    for path in _LOCALES:
        with suppress(OSError):
            for line in path.read_text(encoding="utf-8").splitlines():
                if line.startswith("LANG="):
                    return line.removeprefix("LANG=").strip('"')
    return ""
