"""node-image cobbler: what is built goes to a cobbler that is there already."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import click

from image.cobbler import Import, import_into
from image.site import read_boot
from node.errors import InputError
from node.model.fingerprint import fingerprint
from node.plugins.cobbler.api import Cobbler

_NAME = re.compile(r"[a-zA-Z0-9_\-.:]+")
_FILE = click.Path(path_type=Path, dir_okay=False)
_VARIABLE = "COBBLER_PASSWORD"


@click.group("cobbler")
def group() -> None:
    """Hand an image to cobbler."""


@group.command("import", short_help="Make or update DIR's distro and profile.")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path, file_okay=False))
@click.option("--server", required=True, metavar="URL", help="cobbler, as https://cobbler.example.org.")
@click.option("--fingerprint", "pin", metavar="HEX", help="For https: SHA-256 of a certificate of its chain.")
@click.option("--plain-http", is_flag=True, help="Send the password over plain http, on purpose.")
@click.option("--user", required=True, metavar="NAME", help="cobbler's user.")
@click.option("--password-file", type=_FILE, help=f"Its password; else the variable {_VARIABLE}.")
@click.option("--name", default="nodecrust", show_default=True, help="Of distro, profile and template.")
@click.option("--path", type=click.Path(path_type=Path), help="DIR as cobbler's own machine has it.")
@click.option(
    "--base-url", required=True, metavar="URL", help="Where machines fetch DIR/pxe from, over http."
)
@click.option("--append", default="", metavar="ARGS", help="Further kernel arguments.")
@click.option("--kickstart", type=_FILE, help="Template that cobbler renders as each machine's answers.")
def import_command(folder: Path, server: str, name: str, **asked: Any) -> None:
    """Make or update DIR's distro, profile and kernel arguments in cobbler, over its XML-RPC.

    Kernel and initrd must be at the same place on cobbler's machine, or where --path says. Doing it again
    changes what is otherwise, and nothing else.
    """
    server = server.rstrip("/")
    known = _pin(server, asked["pin"], plain_http=asked["plain_http"])
    if not _NAME.fullmatch(name):
        raise InputError(f"'{name}' is no name in cobbler", mend="use letters, digits and . _ - :")
    boot = read_boot(folder).with_append(asked["append"])
    password = _password(asked["password_file"])
    cobbler = Cobbler(server, known)
    token = cobbler.call("login", asked["user"], password)
    # cobbler fills in the machine's name. Its own address is the one that machines reach it at.
    answers = "http://$http_server/cblr/svc/op/autoinstall/system/$system_name"
    path = (asked["path"] or folder).absolute()
    wanted = Import(name, path, asked["base_url"], asked["kickstart"], answers)
    done = import_into(cobbler, str(token), boot, wanted)
    for each in done.changed:
        click.echo(f"{each} is up to date now")
    if not done.changed:
        click.echo("cobbler had all of it already")
    click.echo(f"kernel arguments: {done.arguments}")


def _pin(server: str, pin: str | None, *, plain_http: bool) -> str:
    """Give the fingerprint to check, "" for plain http on purpose; InputError where neither is said."""
    if server.startswith("http://"):
        if not plain_http:
            raise InputError(
                f"{server} is plain http, and the password would go over it as it is",
                mend="give an https:// address with --fingerprint, or --plain-http",
            )
        return ""
    if not server.startswith("https://"):
        raise InputError(f"{server} is no address that begins with https:// or http://")
    known = fingerprint(pin or "")
    if not known:
        raise InputError(
            "--fingerprint is missing or not a SHA-256",
            mend="give that of cobbler's CA: openssl x509 -fingerprint -sha256",
        )
    return known


def _password(path: Path | None) -> str:
    """Give the password; never from the command line, which every program reads."""
    if path is None:
        if not (found := os.environ.get(_VARIABLE, "")):
            raise InputError("there is no password", mend=f"give --password-file, or set {_VARIABLE}")
        return found
    try:
        return path.read_text(encoding="utf-8").rstrip("\n")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "no text in UTF-8"
        raise InputError(f"{path}: {why}") from None
