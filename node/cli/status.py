"""`nodectl status`: how this node is doing."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import click

from node.agent.health import Told, ask_plugins
from node.cli.status_text import page
from node.model.status import NodeStatus, faults
from node.plugin_manager import OF_THE_WISH, Plugins
from node.system.commands import LiveCommands
from node.system.status import read_status
from node.system.status_inventory import quick_inventory

FORMAT = 1


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def command(*, as_json: bool) -> None:
    """Show how this node is doing: what runs, what it reaches, what it keeps.

    Nothing needs root; what can't be read is named. Ends with 0, degraded or not, so that a script reads
    `healthy` of --json instead.
    """
    commands = LiveCommands()
    status = read_status(commands)
    plugins = Plugins()
    plugins.load()
    # A name that is not here is for `nodectl plugins` to tell: one argument may be for many kinds of nodes.
    not_loaded = tuple(
        f"{problem.where}: {problem.what}" for problem in plugins.problems if problem.code not in OF_THE_WISH
    )
    told = ask_plugins(plugins, quick_inventory(commands))
    found = (*faults(status), *not_loaded, *told.unwell)
    if as_json:
        click.echo(json.dumps(to_data(status, told, found), indent=2, ensure_ascii=False))
    else:
        click.echo(page(status, told.panels, found), nl=False)


def to_data(status: NodeStatus, told: Told, found: tuple[str, ...]) -> dict[str, Any]:
    """Give the document of --json. `healthy` is null, like `image`, on a machine that is no node."""
    data = dataclasses.asdict(status)
    installed = data.pop("installed")
    node = status.image is not None
    return {
        "format": FORMAT,
        "node": node,
        "healthy": not found if node else None,
        "faults": list(found) if node else [],
        "install": {"id": installed["install_id"], "at": installed["at"]} if installed else None,
        **data,
        "panels": [dataclasses.asdict(panel) for panel in told.lines],
        "checks": [dataclasses.asdict(check) for check in told.checks],
    }
