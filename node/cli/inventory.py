"""nodectl inventory."""

from __future__ import annotations

import click

from node.cli.machine import this_machine
from node.cli.options import json_option
from node.installer.inventory_text import inventory_lines


@click.command()
@json_option
def command(*, as_json: bool) -> None:
    """Show what this machine is made of.

    Works on any Linux, as root or not: what can't be read is shown as unknown, with the reason.
    """
    inventory = this_machine()
    if as_json:
        click.echo(inventory.to_json())
        return
    for line in inventory_lines(inventory):
        click.echo(line)
