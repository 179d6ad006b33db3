"""nodectl schema."""

from __future__ import annotations

import json

import click

from node.installer.flow import load_plugins
from node.installer.schema import json_schema


@click.command()
def command() -> None:
    """Print the JSON Schema of the answers, plugins' sections included."""
    click.echo(json.dumps(json_schema(load_plugins().sections()), indent=2, ensure_ascii=False))
