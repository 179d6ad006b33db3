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
@click.option("--last-good", is_flag=True, help="What the last good start had; no plugin is loaded.")
def command(*, root: Path, config: Path, last_good: bool) -> None:
    """Render the stored configuration into the root of this boot."""
    from node.boot.places import Places  # noqa: PLC0415 - `nodectl --help` needs none of these

    places = Places(root=root, config=config)
    if last_good:
        from node.boot.without_plugins import boot_last_good  # noqa: PLC0415 - whatever may fail in the other

        alarms = boot_last_good(places)
    else:
        from node.boot.start import start  # noqa: PLC0415 - may load every plugin

        alarms = start(places)
    for alarm in alarms:
        click.echo(f"ALARM: {alarm}", err=True)
