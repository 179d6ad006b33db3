"""The commands of node-image that are about plugins: `add-plugin` and `bundle-plugins`."""

from __future__ import annotations

import json
import time
from pathlib import Path

import click
from rich.console import Console

from image.plugins.add import Request, add_plugins
from image.plugins.bundle import bundle_plugins
from image.progress import Progress

_FILE = click.Path(path_type=Path, dir_okay=False)
_FOLDER = click.Path(path_type=Path, file_okay=False)


@click.command("add-plugin", short_help="Put plugins into an image that is built.")
@click.argument("image", metavar="IMAGE_DIR", type=_FOLDER)
@click.argument("plugins", metavar="[PLUGIN]...", type=_FILE, nargs=-1)
@click.option("--output", "-o", type=_FOLDER, help="Folder to make or replace; else IMAGE_DIR itself.")
@click.option(
    "--plugin-key", "plugin_keys", type=_FILE, multiple=True, help="Public key of bundles to trust."
)
@click.option("--json", "as_json", is_flag=True, help="Print the manifest as JSON.")
def add_command(
    image: Path,
    plugins: tuple[Path, ...],
    output: Path | None,
    plugin_keys: tuple[Path, ...],
    *,
    as_json: bool,
) -> None:
    """Put plugins into an image that is built, without its kickstart.

    A PLUGIN is a pure wheel or a Debian package that brings files only. Nothing is fetched: what a plugin
    needs is in the image or given beside it. One that is there already is replaced. The image stays as it
    was unless all went well.
    """
    if not plugins and not plugin_keys:
        raise click.UsageError("name a PLUGIN, or a --plugin-key")
    start = time.monotonic()
    progress = Progress(Console(stderr=True))
    manifest = add_plugins(Request(image, plugins, output, plugin_keys), progress)
    if as_json:
        click.echo(json.dumps(manifest, indent=2))
        return
    for record in manifest["plugins"]:
        names = ", ".join(f"{one['name']} {one['version']}" for one in record["distributions"])
        click.echo(f"{record['file']}  {names}")
    seconds = round(time.monotonic() - start, 1)
    click.echo(f"{manifest['name']} {manifest['version']} made in {seconds} s: {output or image}")


@click.command("bundle-plugins", short_help="Sign plugins for node.plugins=URL.")
@click.argument("plugins", metavar="PLUGIN...", type=_FILE, nargs=-1, required=True)
@click.option("--key", type=_FILE, required=True, help="Private key, Ed25519 in PEM.")
@click.option("--output", "-o", type=_FILE, required=True, help="File to write; FILE.sig comes beside it.")
def bundle_command(plugins: tuple[Path, ...], key: Path, output: Path) -> None:
    """Put plugins into one signed file for nodes to fetch at boot.

    Nodes take it by the kernel argument node.plugins=URL when their image has the public half of the key
    (node-image build --plugin-key).
    """
    manifest = bundle_plugins(plugins, key, output)
    for one in manifest["distributions"]:
        click.echo(f"{one['name']} {one['version']}")
    click.echo(f"{output} and {output}.sig  {output.stat().st_size / 2**10:.1f} KiB")
