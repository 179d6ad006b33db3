"""Runs the installer's screens on a recorded machine, on the terminal of who called."""

from __future__ import annotations

import locale
import os
import sys
from collections.abc import Sequence

from node.demo.effects import demo_effects
from node.installer.flow import load_plugins
from node.installer.tui.app import App
from node.installer.tui.session import Session
from node.model.answers import Layer
from node.model.inventory import Inventory
from node.model.problem import Problem
from node.tui.terminal import Terminal, look_of


def run_demo(
    inventory: Inventory,
    *,
    layers: Sequence[Layer] = (),
    problems: Sequence[Problem] = (),
    seconds: float = 6.0,
    fails_at: str = "",
) -> int:
    """Run the screens; the exit code."""
    session = Session(load_plugins(), inventory, layers, problems)
    return App(session, demo_effects(inventory, seconds=seconds, fails_at=fails_at), [own_terminal()]).run()


def own_terminal() -> Terminal:
    """Give the terminal that we were called on."""
    look = look_of(
        os.environ.get("TERM", ""),
        locale.nl_langinfo(locale.CODESET) if _locale_set() else "",
        serial=False,
        no_colour="NO_COLOR" in os.environ,
    )
    return Terminal(sys.stdin.fileno(), sys.stdout.fileno(), name="this terminal", look=look)


def _locale_set() -> bool:
    try:
        locale.setlocale(locale.LC_CTYPE, "")
    except locale.Error:
        return False
    return True
