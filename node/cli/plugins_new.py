"""nodectl plugins new."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.argument("name")
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="A folder that is not there yet; NAME by default.",
)
def command(*, name: str, output: Path | None) -> None:
    """Write a plugin to begin with, whose tests pass at once.

    NAME is that of the distribution and of the plugin: small letters, digits and dashes.
    """
    from node.testing.skeleton import write_skeleton  # noqa: PLC0415 - only a plugin's author needs it

    folder = output or Path(name)
    for path in write_skeleton(name, folder):
        click.echo(str(path))
    click.echo(f"\nNext: cd {folder} && python -m pytest; then read docs/writing-plugins.md")
