"""The hooks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from burn_in.answers import BurnInAnswers
from burn_in.results import KEPT, checks
from burn_in.steps import JudgeBurnIn, KeepResults, tests
from node.hookspecs import Target, hookimpl
from node.model.answers import Answers, Section
from node.model.health import HealthCheck
from node.model.inventory import Inventory
from node.model.layout import Role
from node.model.page import OWN, NumberField, Page, ToggleField
from node.model.step import PlannedStep

CONFIG = Path("/config")

PAGE = Page(
    "burn_in",
    "Burn-in",
    "Tries the machine before anything is written to its disk. Nothing is written by the tests themselves.",
    OWN,
    (
        NumberField(key="burn_in.minutes", label="Minutes", help="For processors and the disk, each."),
        NumberField(key="burn_in.memory_percent", label="Memory (%)"),
        NumberField(key="burn_in.least_mib_s", label="Least MiB/s", help="A slower disk is degraded."),
        ToggleField(key="burn_in.required", label="Must pass"),
    ),
    asked=False,
)


@hookimpl
def node_sections() -> Sequence[Section]:
    """Offer `burn_in`; its page is reached from the summary."""
    return (Section(BurnInAnswers, "Burn-in", "Tries the machine before it is installed.", pages=(PAGE,)),)


@hookimpl
def node_plan(answers: Answers, inventory: Inventory, target: Target) -> Sequence[PlannedStep]:
    """Try everything in the phase that only reads, and keep the results once CONFIG is there."""
    asked = answers[BurnInAnswers]
    if not asked.minutes:
        return ()
    steps = [
        PlannedStep("check", step)
        for step in tests(
            minutes=asked.minutes,
            mebibytes=max(1, (inventory.memory >> 20) * asked.memory_percent // 100),
            node=target.layout.disk.node,
            least_mib_s=asked.least_mib_s,
        )
    ]
    if asked.required:
        steps.append(PlannedStep("check", JudgeBurnIn()))
    if target.layout.get(Role.CONFIG):
        steps.append(PlannedStep("configure", KeepResults()))
    return tuple(steps)


@hookimpl
def node_health_checks() -> Sequence[HealthCheck]:
    """Give the results of the installation; nothing on a node that was not tried."""
    try:
        return tuple(checks((CONFIG / KEPT).read_text(encoding="utf-8")))
    except OSError:
        return ()


@hookimpl
def node_probe() -> Mapping[str, Any]:
    """Give them as facts too."""
    return {check.name: str(check) for check in node_health_checks()}
