"""nodectl plugins check."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import click

from node.cli.options import json_option
from node.errors import InputError
from node.model.health import HealthCheck, Outcome

FORMAT = 1
_FAILED = 1
_TERM, _WIDTH = 20, 80
_FILE = click.Path(path_type=Path)
_COLOURS = {Outcome.FAILED: "red", Outcome.DEGRADED: "yellow"}


@click.command()
@click.argument("dist")
@click.option("--answers", multiple=True, type=_FILE, help="Answers to plan with; again for more.")
@click.option(
    "--inventory", multiple=True, type=_FILE, help="A recorded machine beside ours; again for more."
)
@click.option("--programs", type=_FILE, help="What programs print on the fake machine: YAML, by name.")
@json_option
def command(
    *, dist: str, answers: Sequence[Path], inventory: Sequence[Path], programs: Path | None, as_json: bool
) -> int:
    """Check whether a plugin keeps what the interface asks of it.

    DIST is an installed distribution, or the folder of its pyproject.toml. Everything runs in processes of
    its own and on a fake machine: no root is needed and nothing is written. Ends with 1 where a check failed.
    """
    from node.testing.conformance import check_plugin, find_candidate  # noqa: PLC0415 - only authors need it

    candidate = find_candidate(dist)
    findings = []
    for finding in check_plugin(
        candidate,
        answers=[_read(path) for path in answers],
        machines=[_machine(path) for path in inventory],
        programs=_programs(programs),
    ):
        findings.append(finding)
        if not as_json:
            _show(finding)
    failed = [finding for finding in findings if finding.outcome is Outcome.FAILED]
    name = f"{candidate.distribution} {candidate.version}".strip()
    if as_json:
        data = {
            "format": FORMAT,
            "distribution": candidate.distribution,
            "version": candidate.version,
            "plugins": dict(candidate.points),
            "passed": not failed,
            "checks": [asdict(finding) for finding in findings],
        }
        click.echo(json.dumps(data, indent=2, ensure_ascii=False))
    else:
        click.echo(f"\n{name}: {_in_short(findings)}")
    return _FAILED if failed else 0


def _in_short(findings: Sequence[HealthCheck]) -> str:
    """Say how many failed, and how much was not looked at."""
    failed = sum(finding.outcome is Outcome.FAILED for finding in findings)
    skipped = sum(finding.outcome is Outcome.SKIPPED for finding in findings)
    words = f"{failed} failed" if failed else "all is well"
    if not skipped:
        return words
    return f"{words}; {skipped} {'check was' if skipped == 1 else 'checks were'} skipped"


def _show(finding: HealthCheck) -> None:
    outcome = click.style(f"{finding.outcome.value:<9}", fg=_COLOURS.get(finding.outcome))
    lead = " " * (10 + _TERM + 1)
    lines = textwrap.wrap(finding.words, _WIDTH - len(lead), break_on_hyphens=False) or [""]
    click.echo(f"{outcome} {finding.name:<{_TERM}} {lines[0]}".rstrip())
    for line in lines[1:]:
        click.echo(lead + line)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: {error}", mend="Name a file that can be read") from None


def _machine(path: Path) -> str:
    from node.cli.machine import recorded_machine  # noqa: PLC0415 - only where one is named

    return recorded_machine(path).to_json()


def _programs(path: Path | None) -> dict[str, str]:
    if path is None:
        return {}
    import yaml  # noqa: PLC0415 - only where one is named

    try:
        found = yaml.safe_load(_read(path))
    except yaml.YAMLError as error:
        raise InputError(f"{path} is no YAML: {error}", mend="Mend it") from None
    if not isinstance(found, dict) or not all(isinstance(text, str) for text in found.values()):
        raise InputError(f"{path} is no mapping of programs to texts", mend='Write: smartctl: "{}"')
    return {str(name): text for name, text in found.items()}
