"""node-image: its commands, and the one place where an error becomes words and an exit code."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
import traceback
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from image import answers as answers_file
from image import cobbler_cli, iso
from image.build import Request, build
from image.plugins import cli as plugins_cli
from image.progress import Progress
from image.serve import Ports, listen_http, serve
from image.site import read_boot, site
from image.squashfs import DEFAULT_LEVEL
from node.cli.boundary import EXIT_BUG
from node.cli.logs import append_to_log
from node.errors import InputError, NodeError

# A bench network is what it serves.
EVERYWHERE = "0.0.0.0"  # noqa: S104

_STOPS = (signal.SIGINT, signal.SIGTERM)

_FILE = click.Path(path_type=Path, dir_okay=False)
_PORT = click.IntRange(0, 65535)
_FOLDER = click.Path(path_type=Path, file_okay=False)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 80})
@click.version_option(package_name="nodecrust", message="%(prog)s %(version)s")
def cli() -> None:
    """Build a thin node image from a kickstart, and serve it.

    Exit codes: 0 done; 2 wrong usage or kickstart; 75 the mirror is away, try later; 1 a stage failed.
    """


@cli.command("build")
@click.argument("kickstart", type=_FILE)
@click.option("--output", "-o", type=_FOLDER, required=True, help="Folder to make or replace.")
@click.option("--mirror", metavar="URL", help="Debian mirror; else NODE_IMAGE_MIRROR or apt's own.")
@click.option("--security-mirror", metavar="URL", help="The same for Debian's security fixes.")
@click.option("--ks-version", metavar="NAME", help="Syntax of the kickstart, as F16 or RHEL9.")
@click.option(
    "--compression-level",
    type=click.IntRange(1, 22),
    default=DEFAULT_LEVEL,
    show_default=True,
    help="zstd's, for the root: 3 is quick, 19 small and slow.",
)
@click.option("--base-url", metavar="URL", help="HTTP address that the PXE set is served at.")
@click.option("--append", default="", metavar="ARGS", help="Further kernel arguments.")
@click.option(
    "--plugin", "plugins", type=_FILE, multiple=True, help="A plugin: pure wheel or Debian package."
)
@click.option(
    "--plugin-key", "plugin_keys", type=_FILE, multiple=True, help="Public key of bundles to trust."
)
@click.option("--json", "as_json", is_flag=True, help="Print the manifest and timings as JSON.")
def build_command(as_json: bool, **asked: Any) -> None:
    """Build KICKSTART into a folder.

    The folder then holds vmlinuz, initrd, root.squashfs, manifest.json, SHA256SUMS, a bootable ISO and
    pxe/, ready to serve. What hasn't changed since the last build is taken from the cache
    ($NODECRUST_CACHE, else ~/.cache/nodecrust).
    """
    start = time.monotonic()
    progress = Progress(Console(stderr=True))
    progress.console.print(f"Building {asked['kickstart']}", highlight=False, markup=False)
    manifest = build(Request(**asked), progress, os.environ)
    seconds = round(time.monotonic() - start, 1)
    if as_json:
        result = {"seconds": seconds, "stages": progress.seconds, "manifest": manifest}
        click.echo(json.dumps(result, indent=2))
        return
    for name in ("vmlinuz", "initrd", "root.squashfs", "node.iso"):
        size = manifest["files"][name]["size"]
        click.echo(f"{asked['output'] / name}  {size / 2**20:.1f} MiB")
    click.echo(f"{manifest['name']} {manifest['version']} built in {seconds} s")


@cli.command("iso", short_help="Copy DIR's ISO with more arguments or answers.")
@click.argument("folder", metavar="DIR", type=_FOLDER)
@click.option("--output", "-o", type=_FILE, required=True, help="ISO file to write.")
@click.option("--append", default="", metavar="ARGS", help="Further kernel arguments.")
@click.option("--answers", type=_FILE, help="Answers for an unattended installation.")
def iso_command(folder: Path, output: Path, append: str, answers: Path | None) -> None:
    """Write a copy of DIR's ISO with other kernel arguments or an answers file."""
    boot = read_boot(folder).with_append(append)
    for needed in (folder / "node.iso", *([answers] if answers else [])):
        if not needed.is_file():
            raise InputError(f"there is no file {needed}")
    if output.exists() and output.samefile(folder / "node.iso"):
        # SHA256SUMS and the manifest speak of that one.
        raise InputError(
            f"{output} is the image's own ISO, of which this is a copy", mend="name another --output"
        )
    if not output.absolute().parent.is_dir():
        raise InputError(f"there is no folder {output.parent} to write {output.name} to")
    _tell_doubts(answers)
    iso.remaster(folder / "node.iso", output, boot, answers=answers)
    click.echo(f"{output}  {output.stat().st_size / 2**20:.1f} MiB")


@cli.command("serve")
@click.argument("folder", metavar="DIR", type=_FOLDER)
@click.option("--listen", default=EVERYWHERE, metavar="ADDR", show_default=True, help="Address to serve at.")
@click.option("--http-port", type=_PORT, default=8080, show_default=True, help="0 takes a free one.")
@click.option("--tftp-port", type=_PORT, help="Default: 69 for root, else no TFTP.")
@click.option("--base-url", metavar="URL", help="Address of the HTTP server as the machines see it.")
@click.option("--append", default="", metavar="ARGS", help="Further kernel arguments.")
@click.option("--answers", type=_FILE, help="Answers for unattended installations, served with their digest.")
@click.option("--dhcp", multiple=True, metavar="IFACE", help="Answer DHCP on this interface, by dnsmasq.")
def serve_command(folder: Path, listen: str, http_port: int, tftp_port: int | None, **asked: Any) -> None:
    """Serve DIR's PXE set over HTTP and TFTP, for a bench network.

    Prints `ready http://...` when it listens, then each request. Ctrl-C ends it.
    """
    if tftp_port is None and os.getuid() == 0:
        tftp_port = 69
    ports = Ports(listen, http_port, tftp_port)
    listener = listen_http(ports)
    the_site = site(
        folder,
        base_url=asked["base_url"],
        http_port=listener.getsockname()[1],
        append=asked["append"],
        answers=asked["answers"],
    )
    _tell_doubts(asked["answers"])
    serve(the_site, listener, ports, asked["dhcp"], click.echo)


cli.add_command(cobbler_cli.group)
cli.add_command(plugins_cli.add_command)
cli.add_command(plugins_cli.bundle_command)


def _stop(number: int, _: object) -> None:
    """End what is at work; a second Ctrl-C does not keep it from clearing away what it made."""
    for one in _STOPS:
        signal.signal(one, signal.SIG_IGN)
    raise KeyboardInterrupt(number)


def _tell_doubts(path: Path | None) -> None:
    """Say at once what a node would say of the answers after its boot."""
    for doubt in answers_file.doubts(path) if path else ():
        click.echo(f"note: {doubt}", err=True)


def main() -> int:  # noqa: PLR0911 - one return a reason
    """Run; every error of ours ends as words on standard error and its exit code."""
    # Both end a build in the same way: what it made is cleared away.
    for number in _STOPS:
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, _stop)
    try:
        result = cli.main(standalone_mode=False)
    except click.exceptions.Abort:
        click.echo("interrupted: nothing half-made is left", err=True)
        return 130
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except NodeError as error:
        _explain(error)
        return error.exit_code
    except BrokenPipeError:
        # Who reads us has seen enough; Python would complain once more at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        # A full disk, a folder that can't be written: the machine's matter, said in its words.
        where = f"{error.filename}: " if error.filename else ""
        _explain(NodeError(f"{where}{error.strerror or error}"))
        return 1
    except Exception as error:
        return _crash(error)
    return result if isinstance(result, int) else 0


def _crash(error: Exception) -> int:
    log = append_to_log("node-image: " + "".join(traceback.format_exception(error)) + "\n")
    mend = f"the details are in {log}; please report them" if log else "no log could be written"
    _explain(NodeError(f"a bug of ours ({type(error).__name__})", mend=mend))
    return EXIT_BUG


def _explain(error: NodeError) -> None:
    click.echo(f"node-image: {error.brief}", err=True)
    for line in error.details.splitlines():
        click.echo(f"    {line}", err=True)
    if error.mend:
        click.echo(f"  -> {error.mend}", err=True)


if __name__ == "__main__":
    sys.exit(main())
