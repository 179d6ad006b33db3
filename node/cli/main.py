"""The entry point of nodectl: commands loaded when they are called, one boundary for every error."""

from __future__ import annotations

import os
import sys

import click

from node.cli.boundary import report_crash, report_error
from node.cli.lazy import CommandEntry, LazyGroup
from node.cli.logs import configure_logging
from node.errors import InputError, NodeError

EXIT_INTERRUPTED = 130


COMMANDS = {
    "inventory": CommandEntry("node.cli.inventory", "Show what this machine is made of."),
    "schema": CommandEntry(
        "node.cli.schema", "Print the JSON Schema of the answers, plugins' sections included."
    ),
    "plan": CommandEntry("node.cli.plan", "Show what an installation would do, disk by disk."),
    "install": CommandEntry("node.cli.install", "Install this node onto a local disk."),
    "status": CommandEntry(
        "node.cli.status", "Show how this node is doing: what runs, what it reaches, what it keeps."
    ),
    "console": CommandEntry("node.cli.console", "Look after this node at its console."),
    "plugins": CommandEntry(
        "node.cli.plugins", "Show the plugins: which are loaded, what they do, how long."
    ),
    "config": CommandEntry("node.cli.config", "Show and change the configuration that lasts."),
    "password": CommandEntry("node.cli.password", "Set the password of the admin user or of root."),
    "register": CommandEntry(
        "node.cli.register", "Register this node with the servers that its configuration names."
    ),
    "persist": CommandEntry("node.cli.persist", "Keep files that the configuration knows nothing of."),
    "boot": CommandEntry("node.cli.boot", "Render the stored configuration into the root of this boot."),
}


@click.group(
    cls=LazyGroup,
    table=COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 80},
    epilog="Exit codes: 0 done; 1 a step failed; 2 wrong usage or answers; 69 the machine is unfit; "
    "75 try again later; 70 a bug of ours.",
)
@click.version_option(package_name="nodecrust", message="%(prog)s %(version)s")
@click.option("--debug", is_flag=True, help="Show log records on standard error.")
@click.option("--trace-hooks", is_flag=True, help="Show each call of a plugin's hook on standard error.")
def nodectl(*, debug: bool, trace_hooks: bool) -> None:
    """Install a node, and look after the one that runs."""
    configure_logging(debug=debug)
    if trace_hooks:
        os.environ["NODECRUST_TRACE_HOOKS"] = "1"


def main(arguments: list[str] | None = None) -> None:
    """Run nodectl and end the process with the exit code of the contract."""
    raise SystemExit(run(sys.argv[1:] if arguments is None else arguments))


def run(arguments: list[str]) -> int:  # noqa: PLR0911 - one way out for each kind of error
    """Run one command and give its exit code. Every error ends here, in words."""
    as_json = "--json" in arguments
    try:
        code = nodectl.main(arguments, prog_name="nodectl", standalone_mode=False)
        sys.stdout.flush()
        return code if isinstance(code, int) else 0
    except NodeError as error:
        report_error(error, as_json=as_json)
        return error.exit_code
    except click.UsageError as error:
        # Checked input of click: wrong usage is the same exit code as wrong answers.
        if as_json:
            report_error(InputError(error.format_message(), mend="See --help"), as_json=True)
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
    except Exception as error:
        return report_crash(error, as_json=as_json)
