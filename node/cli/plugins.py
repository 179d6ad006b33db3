"""nodectl plugins: the group of its commands; without one of them, the list."""

from __future__ import annotations

from pathlib import Path

import click

from node.cli.lazy import CommandEntry, LazyGroup
from node.cli.options import inventory_option, json_option

COMMANDS: dict[str, CommandEntry] = {
    "new": CommandEntry("node.cli.plugins_new", "Write a plugin to begin with, whose tests pass at once."),
    "check": CommandEntry(
        "node.cli.plugins_check", "Check whether a plugin keeps what the interface asks of it."
    ),
}


@click.group(cls=LazyGroup, table=COMMANDS, invoke_without_command=True)
@inventory_option
@click.option("--trace-hooks", is_flag=True, help="Show each call of a hook on standard error.")
@json_option
@click.pass_context
def command(
    ctx: click.Context, *, inventory_path: Path | None, trace_hooks: bool, as_json: bool
) -> int | None:
    """Show the plugins: which are loaded, what they do, how long.

    Each is asked what a plan and a start of a node ask, on a recorded machine where none is named. Those
    that failed, were refused or left out are named, with what happened. Nothing is written.
    """
    if ctx.invoked_subcommand is not None:
        return None
    from node.cli.plugins_list import list_plugins  # noqa: PLC0415 - the commands below need none of it

    return list_plugins(inventory_path, trace_hooks=trace_hooks, as_json=as_json)
