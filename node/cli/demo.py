"""nodectl install --demo: the installer's screens on a recorded machine."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from node.cli.machine import recorded_machine
from node.demo.machines import machine, machine_names
from node.errors import InputError
from node.installer.flow import read_file
from node.locale import use
from node.model.answers import Layer
from node.model.inventory import Inventory
from node.model.problem import Problem


def run(name: str, answers: str | None) -> int:
    """Show the screens of a machine by its name, or by a file that `nodectl inventory --json` wrote."""
    inventory = _machine(name)
    layers: list[Layer] = []
    problems: tuple[Problem, ...] = ()
    if answers:
        layer, problems = read_file(Path(answers))
        layers.append(layer)
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise InputError("the screens need a terminal", mend="Call it from one")
    use(os.environ.get("LC_ALL") or os.environ.get("LC_MESSAGES") or os.environ.get("LANG", ""))
    from node.demo.run import run_demo  # noqa: PLC0415 - urwid only once all is well

    return run_demo(inventory, layers=layers, problems=problems)


def _machine(name: str) -> Inventory:
    if name in machine_names():
        return machine(name)
    if Path(name).is_file():
        return recorded_machine(Path(name))
    raise InputError(
        f"there is no recorded machine '{name}'", mend=f"Take one of {', '.join(machine_names())}"
    )
