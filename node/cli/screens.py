"""The installer's screens on every console of a booted image (but for node.screens=no)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from node.installer.contributions import PluginTalk
from node.installer.flow import JOURNAL
from node.installer.sources.gather import Gathered
from node.installer.tui.app import App
from node.installer.tui.live_effects import live_effects
from node.installer.tui.session import Session
from node.locale import use
from node.model.answers import Layer
from node.model.install import Afterwards
from node.model.inventory import Inventory
from node.system.commands import LiveCommands
from node.tui.terminal import Look, Terminal

_VGA = Look()
# Of what sits at the other end of a serial line nothing is known; that it knows ASCII and colours is safe.
_SERIAL = Look(utf8=False, fingers=True)


def run_screens(
    talk: PluginTalk,
    gathered: Gathered,
    inventory: Inventory,
    *,
    consoles: Sequence[Path],
    leave: Callable[[Afterwards], None],
    log: Path,
) -> int | Layer:
    """Show the screens until something came of them: the exit code, or what was typed so far, to prepare."""
    use(gathered.kernel.own.get("lang", ""))
    opened = [Terminal.open(path, look=_look(path)) for path in consoles]
    terminals = [terminal for terminal in opened if terminal]
    commands = LiveCommands()
    # What the kernel says would paint over the screens; it stays in its log.
    commands.run(["dmesg", "--console-off"], check=False)
    try:
        session = Session(talk, inventory, gathered.layers, gathered.problems)
        effects = live_effects(inventory, commands, leave=leave, logs=(log, JOURNAL))
        app = App(session, effects, terminals)
        code = app.run()
        return session.layers()[-1] if app.screens.to_prepare else code
    finally:
        commands.run(["dmesg", "--console-on"], check=False)
        for terminal in terminals:
            terminal.close()


def _look(path: Path) -> Look:
    return _VGA if path.name.removeprefix("tty").isdigit() else _SERIAL
