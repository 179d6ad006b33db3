"""nodectl boot: run by the initrd in the new root, before systemd starts there."""

from __future__ import annotations

from pathlib import Path

import click


@click.command(hidden=True)
@click.option(
    "--root",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    default=Path("/"),
    show_default=True,
    help="The root that the files are written into.",
)
@click.option(
    "--config",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("/config"),
    show_default=True,
    help="The folder that holds node.yaml.",
)
def command(root: Path, config: Path) -> None:
    """Render the stored configuration into the root of this boot."""
    from node.boot.boot import Places, boot  # noqa: PLC0415 - loads every plugin

    for alarm in boot(Places(root=root, config=config)):
        click.echo(f"ALARM: {alarm}", err=True)
