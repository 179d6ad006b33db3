"""What plugins say of a running node: lines of its status, and checks of its health."""

from __future__ import annotations

from dataclasses import dataclass

from node.hookspecs import StatusLine
from node.model.health import HealthCheck
from node.model.inventory import Inventory
from node.plugin_manager import Plugins


@dataclass(frozen=True)
class Told:
    """Lines and checks of all plugins; `failures` say in words which plugin failed to give its own."""

    lines: tuple[StatusLine, ...] = ()
    checks: tuple[HealthCheck, ...] = ()
    failures: tuple[str, ...] = ()

    @property
    def panels(self) -> tuple[StatusLine, ...]:
        """All of it as lines to be shown."""
        return (*self.lines, *(StatusLine(one.name, str(one), healthy=one.healthy) for one in self.checks))

    @property
    def unwell(self) -> tuple[str, ...]:
        """What is not well, in words."""
        return (*self.failures, *(f"{one.term}: {one.value}" for one in self.panels if not one.healthy))


def ask_plugins(plugins: Plugins, inventory: Inventory) -> Told:
    """Ask every plugin for its lines and checks; of what goes wrong with them only what is new is told."""
    before = len(plugins.problems)
    lines: list[StatusLine] = []
    for answered in plugins.call("node_status_panels", inventory=inventory):
        lines += [line for line in answered.value or () if isinstance(line, StatusLine)]
    checks = ask_checks(plugins, inventory)
    failures = tuple(f"{problem.where}: {problem.what}" for problem in plugins.problems[before:])
    del plugins.problems[before:]
    return Told(tuple(lines), checks, failures)


def ask_checks(plugins: Plugins, inventory: Inventory) -> tuple[HealthCheck, ...]:
    """Ask every plugin for its checks; of two with one name the first one stands."""
    found: dict[str, HealthCheck] = {}
    for answered in plugins.call("node_health_checks", inventory=inventory):
        for check in answered.value or ():
            if isinstance(check, HealthCheck):
                found.setdefault(check.name, check)
    return tuple(found.values())
