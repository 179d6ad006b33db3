"""nodectl config: the group of its commands."""

from __future__ import annotations

import click

from node.cli.lazy import CommandEntry, LazyGroup

COMMANDS = {
    "show": CommandEntry("node.cli.config_show", "Show the configuration, secrets masked."),
    "get": CommandEntry("node.cli.config_get", "Print one value."),
    "set": CommandEntry("node.cli.config_set", "Change single keys."),
    "edit": CommandEntry("node.cli.config_edit", "Change the configuration in an editor."),
    "validate": CommandEntry("node.cli.config_validate", "Check a file, or what is stored."),
    "apply": CommandEntry("node.cli.config_apply", "Bring a file, or what is stored, into force."),
    "confirm": CommandEntry("node.cli.config_confirm", "Keep the change that is on trial."),
    "history": CommandEntry("node.cli.config_history", "List the versions that are kept."),
    "rollback": CommandEntry("node.cli.config_rollback", "Go back to an earlier version."),
}


@click.group(
    cls=LazyGroup,
    table=COMMANDS,
    epilog="A change of the network is tried first, and taken back by itself unless `confirm` comes in "
    "time. docs/configuration.md tells all keys.",
)
def command() -> None:
    """Show and change the configuration that lasts.

    It is stored on CONFIG, survives restarts, new images and reinstallations that keep it, and is made into
    the files of /etc at every boot.
    """
