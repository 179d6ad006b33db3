"""The list of plugins, with what each one does when it is asked."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from node.boot.rendering import render
from node.cli.machine import recorded_machine
from node.demo.machines import machine
from node.installer.contributions import PluginTalk
from node.installer.flow import look
from node.installer.problem_text import problem_lines, problem_to_data, wrapped
from node.model.problem import Problem, Severity
from node.model.state import State
from node.plugin_host.bundle import REFUSED
from node.plugin_manager import FAILED, OF_THE_WISH, UNTIDY, Plugins, Record, Timing

FORMAT = 1
_MACHINE = "vm-virtio-blank"
# What says something of the plugins, and not of the machine.
_CODES = (FAILED, UNTIDY, *OF_THE_WISH, "plugin-required", REFUSED)


def list_plugins(inventory: Path | None, *, trace_hooks: bool, as_json: bool) -> int:
    """Ask all plugins and show them; 1 where one that nothing can be written without fails."""
    plugins = Plugins(trace=trace_hooks)
    plugins.load()
    look(
        PluginTalk(plugins),
        [],
        recorded_machine(inventory) if inventory else machine(_MACHINE),
        for_show=True,
    )
    render(plugins, State())
    problems = tuple(problem for problem in plugins.problems if problem.code in _CODES)
    if as_json:
        click.echo(json.dumps(to_data(plugins.records(), problems), indent=2, ensure_ascii=False))
    else:
        for line in lines(plugins.records(), problems):
            click.echo(line)
    return 1 if any(problem.severity is Severity.ERROR for problem in problems) else 0


def to_data(records: tuple[Record, ...], problems: tuple[Problem, ...]) -> dict[str, Any]:
    """Give the document of --json. Times are in milliseconds; `calls` has what was asked, by hook."""
    return {
        "format": FORMAT,
        "plugins": [
            {
                "name": record.name,
                "state": record.state,
                "why": record.why,
                "built_in": not record.outside,
                "distribution": record.distribution,
                "version": record.version,
                "stands_in_for": list(record.stands_in_for),
                "hooks": list(record.hooks),
                "import_ms": _ms(record.import_s),
                "calls": {
                    hook: {
                        "times": timing.times,
                        "ms": _ms(timing.all_s),
                        "longest_ms": _ms(timing.longest_s),
                    }
                    for hook, timing in record.calls.items()
                },
            }
            for record in records
        ],
        "problems": [problem_to_data(problem) for problem in problems],
    }


def lines(records: tuple[Record, ...], problems: tuple[Problem, ...]) -> list[str]:
    """Give the list in words."""
    found: list[str] = []
    for record in records:
        provider = f"{record.distribution} {record.version}".strip() if record.outside else "built-in"
        took = f", imported in {_ms(record.import_s)} ms" if record.state == "loaded" else ""
        found += wrapped(f"{record.name:<16} ", f"{record.state}, {provider}{took}")
        if record.stands_in_for:
            found += wrapped(" " * 17, f"stands in for {', '.join(record.stands_in_for)}")
        if record.why:
            found += wrapped(" " * 17, record.why)
        words = [_called(hook, record.calls.get(hook)) for hook in record.hooks]
        words += [_called(what, timing) for what, timing in record.calls.items() if what not in record.hooks]
        if words:
            found += wrapped(" " * 17, ", ".join(words))
    if problems:
        found += ["", "Problems:", *problem_lines(problems)]
    return found


def _called(what: str, timing: Timing | None) -> str:
    if timing is None:
        return what
    times = f" in {timing.times} calls" if timing.times > 1 else ""
    return f"{what} {_ms(timing.all_s)} ms{times}"


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 2)
