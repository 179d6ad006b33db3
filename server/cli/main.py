"""The entry point of node-server, and the one place where an error becomes words and an exit code."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import sys
import traceback
from pathlib import Path

import click
from sqlalchemy.exc import OperationalError

from node.errors import InputError, NodeError
from server.cli import admin, ca, config, nodes, proxy, run, seen, token
from server.database import away

EXIT_BUG = 70
EXIT_INTERRUPTED = 130


@click.group(
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 80},
    epilog="Exit codes: 0 done; 1 failed; 2 wrong usage or input; 75 try again later; 70 a bug of ours.",
)
@click.version_option(package_name="nodecrust", message="%(prog)s %(version)s")
def node_server() -> None:
    """Manage nodes: let them enrol, approve them, tell them their configuration."""


for command in (
    run.command,
    token.command,
    nodes.command,
    seen.events_command,
    seen.pools_command,
    config.command,
    ca.command,
    proxy.command,
    admin.command,
):
    node_server.add_command(command)


def main(arguments: list[str] | None = None) -> None:
    """Run node-server and end the process with the exit code of the contract."""
    raise SystemExit(run_command(sys.argv[1:] if arguments is None else arguments))


def run_command(arguments: list[str]) -> int:  # noqa: PLR0911 - one way out for each kind of error
    """Run one command and give its exit code. Every error ends here, in words."""
    as_json = "--json" in arguments
    logging.basicConfig(level=logging.INFO, format="%(levelname).1s %(message)s", stream=sys.stderr)
    for chatty in ("alembic", "uvicorn", "httpx", "asyncio"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    try:
        code = node_server.main(arguments, prog_name="node-server", standalone_mode=False)
        sys.stdout.flush()
        return code if isinstance(code, int) else 0
    except NodeError as error:
        _report(error, as_json=as_json)
        return error.exit_code
    except click.UsageError as error:
        if as_json:
            _report(InputError(error.format_message(), mend="See --help"), as_json=True)
        else:
            error.show()
        return 2
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted", err=True)
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        # Who reads us has seen enough; Python would complain once more at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OperationalError as error:
        _report(away(error), as_json=as_json)
        return 75
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        _report(NodeError(f"{where}{error.strerror or error}"), as_json=as_json)
        return 1
    except Exception as error:
        return _crash(error, as_json=as_json)


def _report(error: NodeError, *, as_json: bool, exit_code: int | None = None) -> None:
    if as_json:
        data = {
            "exit_code": exit_code or error.exit_code,
            "brief": error.brief,
            "details": error.details,
            "mend": error.mend,
        }
        click.echo(json.dumps({"error": data}, indent=2))
        return
    click.echo(f"node-server: {error.brief}", err=True)
    for line in error.details.splitlines():
        click.echo(f"    {line}", err=True)
    if error.mend:
        click.echo(f"  -> {error.mend}", err=True)


def _crash(error: Exception, *, as_json: bool) -> int:
    """Log a bug with its traceback, and show a reference that is the same wherever it happens."""
    frames = [f"{Path(f.filename).name}:{f.name}" for f in traceback.extract_tb(error.__traceback__)]
    reference = hashlib.sha256("|".join([type(error).__name__, *frames]).encode()).hexdigest()[:8]
    state = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state")
    log = state / "nodecrust" / "node-server.log"
    mend = f"the details are in {log}; please report them"
    try:
        log.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with os.fdopen(
            os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "a", encoding="utf-8"
        ) as file:
            file.write(f"reference {reference}\n" + "".join(traceback.format_exception(error)) + "\n")
    except OSError:
        mend = "no log could be written"
    brief = f"a bug of ours, reference {reference} ({type(error).__name__})"
    _report(NodeError(brief, mend=mend), as_json=as_json, exit_code=EXIT_BUG)
    return EXIT_BUG
