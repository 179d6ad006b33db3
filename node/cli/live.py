"""What nodecrust-installer.service runs on a booted image: the live installer with this machine behind it."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from node.cli.install import leave
from node.cli.machine import this_machine
from node.errors import CommandFailedError
from node.installer.consoles import Consoles, active_consoles
from node.installer.contributions import PluginTalk
from node.installer.existing import boot_existing
from node.installer.flow import install, load_plugins
from node.installer.live import Effects, LiveInstaller
from node.installer.sources.gather import IMAGE_FACTS, Gathered, local_layers, with_answers
from node.model.answers import Layer
from node.model.inventory import Inventory
from node.system.commands import LiveCommands
from node.system.live import LiveSystem
from node.system.remembered import FirmwareCounts

LOG = Path("/run/node/install.log")
# There once a node that has no slot shows its console (node/console/prompt.sh).
LET_RUN = Path("/run/node/let-run")
_log = logging.getLogger(__name__)


def run_live(*, image_facts: Path = IMAGE_FACTS) -> int:
    """Run the installer on every console of the kernel; at once over where the node runs from its disk."""
    if _source(image_facts) == "slot":
        return 0
    paths = active_consoles()
    _log_in_prompts("stop", paths)
    consoles = Consoles(paths, log=LOG)
    talk = load_plugins()
    commands = LiveCommands()
    effects = Effects(
        inventory=this_machine,
        local=lambda: local_layers(talk.models()),
        with_answers=lambda gathered: with_answers(gathered, commands),
        install=install,
        boot_existing=lambda found, inventory: boot_existing(
            found, inventory, commands=commands, boot=LiveSystem(_no_progress, consoles.say).boot
        ),
        leave=leave,
        screens=lambda gathered, inventory: _screens(talk, gathered, inventory, paths),
        memory=FirmwareCounts(),
    )
    try:
        code = LiveInstaller(consoles, talk, effects).run()
    except Exception as error:
        consoles.say(f"Not installed: a bug of ours ({type(error).__name__}). Nothing more is written.")
        consoles.say(f"The details are in {LOG.parent / 'nodectl.log'}; please report them.")
        raise
    finally:
        consoles.close()
    if code == 0:
        # A node that stays on can be logged in to again; one that goes down lets that pass.
        with suppress(OSError):
            LET_RUN.touch()
        _log_in_prompts("start", paths)
    return code


def _screens(
    talk: PluginTalk, gathered: Gathered, inventory: Inventory, consoles: Sequence[Path]
) -> int | Layer:
    from node.cli.screens import run_screens  # noqa: PLC0415 - urwid only where it is asked for

    return run_screens(talk, gathered, inventory, consoles=consoles, leave=leave, log=LOG)


def _source(image_facts: Path) -> str:
    try:
        facts = json.loads(image_facts.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return ""
    return str(facts.get("source", "")) if isinstance(facts, dict) else ""


def _log_in_prompts(action: str, consoles: Sequence[Path]) -> None:
    """Stop or start the log-in prompts on our consoles: of two readers each gets half of a line."""
    units = []
    for path in consoles:
        kind = "getty" if path.name.removeprefix("tty").isdigit() else "serial-getty"
        units.append(f"{kind}@{path.name}.service")
    if units:
        try:
            LiveCommands().run(["systemctl", action, *units], timeout_s=20.0)
        except CommandFailedError as error:
            _log.warning("%s %s", error.brief, error.details)


def _no_progress(done: int, total: int) -> None:
    del done, total
