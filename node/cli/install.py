"""nodectl install."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import click

from node.cli.machine import this_machine
from node.cli.options import json_option
from node.errors import InputError, TryAgainError
from node.installer.consent import consent_layer, name_to_type, named_disk
from node.installer.contributions import PluginTalk
from node.installer.flow import Look, install, load_plugins, look, refusal
from node.installer.plan_text import plan_lines, plan_to_json
from node.installer.preparing import Preparation
from node.installer.progress_text import ProgressLines
from node.installer.sources.gather import Gathered, local_layers, with_answers
from node.model.event import Event
from node.model.install import Afterwards, InstallAnswers
from node.model.origin import Precedence
from node.model.problem import errors


@click.command()
@click.option("--answers", metavar="FILE|URL", help="What is asked for, in place of node.answers=.")
@click.option("--sha256", metavar="HEX", help="The SHA-256 that the answers must have.")
@click.option("--ca", metavar="HEX|FILE", help="For https: a certificate's fingerprint, or a CA file.")
@click.option("--trust", type=click.Choice(["network"]), help="Take answers from the network unchecked.")
@click.option("--dry-run", is_flag=True, help="Show the plan for this machine; change nothing.")
@click.option("--yes", is_flag=True, help="Don't ask. What a disk holds still needs storage.consent.")
@click.option("--boot", is_flag=True, help="What a booted image runs: speaks to every console.")
@click.option("--demo", metavar="MACHINE", help="The screens, on a recorded machine. Nothing is real.")
@json_option
def command(
    *,
    answers: str | None,
    sha256: str | None,
    ca: str | None,
    trust: str | None,
    dry_run: bool,
    yes: bool,
    boot: bool,
    demo: str | None,
    as_json: bool,
) -> int:
    """Install this node onto a local disk.

    Shows the plan first, and asks. A disk that holds anything is refused unless the answers consent to its
    loss by its serial, WWN or by-id (storage.consent), or its serial is typed when asked.
    """
    if boot:
        from node.cli.live import run_live  # noqa: PLC0415 - consoles and network only then

        return run_live()
    if demo is not None:
        from node.cli.demo import run  # noqa: PLC0415 - urwid only then

        return run(demo, answers)
    talk = load_plugins()
    asked = _asked(answers, sha256, ca, trust)
    gathered = _gather(talk, asked)
    seen = look(talk, gathered.layers, this_machine(), problems=gathered.problems, for_show=dry_run)
    if seen.plan.prepare and not dry_run and not seen.plan.refused:
        seen = _prepared(seen, talk, gathered, yes=yes, as_json=as_json)
    if as_json and (dry_run or seen.plan.boots_existing):
        click.echo(plan_to_json(seen.plan, seen.inventory))
    elif not as_json:
        for line in plan_lines(seen.plan, seen.inventory):
            click.echo(line)
    if dry_run or seen.plan.boots_existing:
        error = refusal(seen.plan.problems)
        return error.exit_code if error else 0
    _only_root()
    if not yes and not seen.plan.refused and (as_json or not sys.stdin.isatty()):
        raise InputError("nobody is there to be asked", mend="Add --yes")
    if not yes and not as_json and sys.stdin.isatty() and _depends_on_disk(seen):
        seen = _agreed(seen, talk, gathered)
    if error := refusal(seen.plan.problems):
        if as_json:
            raise error
        click.echo(click.style(error.brief, fg="red"), err=True)
        return error.exit_code
    install(seen.plan, [_json_line if as_json else ProgressLines(click.echo), talk.tell])
    _finish(seen)
    return 0


def _asked(
    answers: str | None, sha256: str | None, ca: str | None, trust: str | None
) -> dict[str, str] | None:
    options = {"answers.sha256": sha256, "answers.ca": ca, "answers.trust": trust}
    given = {name: value for name, value in options.items() if value}
    if answers is None:
        if given:
            raise InputError("--sha256, --ca and --trust say how --answers is checked", mend="Add --answers")
        return None
    local = ":" not in answers or Path(answers).exists()
    return {"answers": str(Path(answers).absolute()) if local else answers} | given


def _gather(talk: PluginTalk, asked: dict[str, str] | None) -> Gathered:
    from node.system.commands import LiveCommands  # noqa: PLC0415 - see flow.install

    return with_answers(local_layers(talk.models()), LiveCommands(), asked=asked)


def _prepared(seen: Look, talk: PluginTalk, gathered: Gathered, *, yes: bool, as_json: bool) -> Look:
    """Do what comes before disks are chosen, and look again until nothing of that is left."""
    from node.system.remembered import FirmwareCounts  # noqa: PLC0415 - see flow.install

    _only_root()
    preparation = Preparation(FirmwareCounts(), install)
    while seen.plan.prepare:
        if not as_json:
            for line in plan_lines(seen.plan, seen.inventory):
                click.echo(line)
        if not yes:
            if as_json or not sys.stdin.isatty():
                raise InputError("nobody is there to be asked", mend="Add --yes")
            if not click.confirm("\nPrepare this machine now?"):
                raise InputError("not confirmed; nothing was written")
        observers = [_json_line if as_json else ProgressLines(click.echo), talk.tell]
        if preparation.run(seen.plan, observers):
            # At a terminal nothing restarts unasked.
            raise TryAgainError(
                "this machine must be restarted to go on", mend="Restart it, then install again"
            )
        seen = look(talk, gathered.layers, this_machine(), problems=gathered.problems)
    preparation.finish()
    return seen


def _only_root() -> None:
    if os.geteuid() != 0:
        raise InputError("only root can install", mend="Run it as root, or with --dry-run")


def _depends_on_disk(seen: Look) -> bool:
    """Tell whether naming a disk could be all that is missing: nobody is asked in vain."""
    return all(problem.owner == "storage" for problem in errors(seen.plan.problems))


def _agreed(seen: Look, talk: PluginTalk, gathered: Gathered) -> Look:
    """Ask for the disk's name, which consents to its loss; give the look with that consent."""
    word = name_to_type(seen.plan.layout, seen.inventory)
    click.echo("\nTo install, type the serial number of the disk to be erased, then Enter.")
    typed = click.prompt(
        f"Serial number [{word}]" if word else "Serial number", default="", show_default=False
    )
    disk = named_disk(typed, seen.inventory)
    if disk is None:
        raise InputError("not confirmed; nothing was written")
    layers = (*gathered.layers, consent_layer(disk, seen.answers))
    agreed = look(talk, layers, seen.inventory, problems=gathered.problems)
    if refusal(agreed.plan.problems):
        for line in plan_lines(agreed.plan, agreed.inventory):
            click.echo(line)
    return agreed


def _json_line(event: Event) -> None:
    click.echo(json.dumps(asdict(event)))


def _finish(seen: Look) -> None:
    """Do what install.afterwards says where somebody said it; at a terminal nothing restarts unasked."""
    origin = seen.answers.origin("install.afterwards")
    if origin.precedence is Precedence.DEFAULT:
        click.echo("This node is installed. Restart the machine to boot it.")
        return
    leave(seen.answers[InstallAnswers].afterwards)


def leave(afterwards: Afterwards) -> None:
    """Restart, switch off or stay."""
    from node.system.commands import LiveCommands  # noqa: PLC0415 - see flow.install

    actions: dict[Afterwards, Callable[[], object]] = {
        Afterwards.REBOOT: lambda: LiveCommands().run(["systemctl", "reboot"]),
        Afterwards.POWEROFF: lambda: LiveCommands().run(["systemctl", "poweroff"]),
        Afterwards.STAY: lambda: None,
    }
    actions[afterwards]()
