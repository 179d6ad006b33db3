"""A plan as a tired operator reads it, disk by disk in 80 columns; and as data for scripts."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator
from typing import Any

from node.errors import NodeError
from node.installer.disk_words import describe_contents, describe_disk
from node.installer.flow import refusal
from node.installer.installed import boots_from_network
from node.installer.problem_text import COLUMNS, problem_lines, problem_to_data
from node.model.inventory import Disk, Finding, Inventory
from node.model.layout import Layout, PlannedPartition
from node.model.plan import Plan, planned_to_data, steps_to_data
from node.model.size import format_size
from node.model.step import restarts

FORMAT = 1


def plan_lines(plan: Plan, inventory: Inventory) -> list[str]:
    """Give the plan in words, at most 80 columns a line."""
    lines = [*_machine(inventory), ""]
    if plan.boots_existing:
        disk = inventory.disk(plan.boots_existing)
        name = describe_disk(disk) if disk else plan.boots_existing
        found = next((one for one in inventory.installations if one.disk == plan.boots_existing), None)
        runs = "runs from the network" if found and boots_from_network(found, inventory) else "is booted"
        lines += _wrap("", f"A finished installation is on {name}: it {runs}, and nothing is written.")
        lines += [*_wrap("", "To install again, pass node.reinstall=ID with an ID not used before."), ""]
    for disk in inventory.disks:
        lines += _disk(disk, plan)
    if not inventory.disks:
        lines += ["No disk was found.", ""]
    if plan.prepare:
        lines += ["What comes first, before a disk is chosen:"]
        for number, planned in enumerate(plan.prepare, 1):
            then = "; the machine restarts then" if restarts(planned.step) else ""
            lines += _wrap(f"{number:4}. ", f"{planned.step.summary()}{then}")
        lines += [*_wrap("", "Then the machine is looked at anew, and the plan is made."), ""]
    if plan.steps:
        lines += ["What will be done, in this order:"]
        for number, planned in enumerate(plan.steps, 1):
            lines += _wrap(f"{number:4}. ", planned.step.summary())
        lines.append("")
    for one in plan.chosen:
        lines += _wrap("", f"Plugin {one.plugin} does {one.capability} here: {one.why}.")
    if plan.chosen:
        lines.append("")
    if plan.problems:
        stopped = "nothing will be written until they are mended" if plan.refused else "nothing is stopped"
        lines += [f"Problems ({len(plan.problems)}); {stopped}:", *problem_lines(plan.problems)]
    return [line.rstrip() for line in "\n".join(lines).rstrip().split("\n")]


def plan_to_data(plan: Plan, inventory: Inventory) -> dict[str, Any]:
    """Give the plan as plain data, secrets masked. `format` changes when a key changes its meaning."""
    error = refusal(plan.problems)
    return {
        "format": FORMAT,
        "install_id": str(plan.install_id),
        "refused": plan.refused,
        "exit_code": error.exit_code if isinstance(error, NodeError) else 0,
        "boots_existing": plan.boots_existing,
        "disk": _layout_to_data(plan.layout, inventory) if plan.layout else None,
        "destroys": list(plan.destroys),
        "keeps": list(plan.keeps),
        "prepare": planned_to_data(plan.prepare),
        "chosen": [
            {"capability": one.capability, "plugin": one.plugin, "why": one.why} for one in plan.chosen
        ],
        "steps": steps_to_data(plan),
        "problems": [problem_to_data(problem) for problem in plan.problems],
    }


def plan_to_json(plan: Plan, inventory: Inventory) -> str:
    """Give `plan_to_data` as JSON; the same input gives the same bytes."""
    return json.dumps(plan_to_data(plan, inventory), indent=2, ensure_ascii=False)


def _machine(inventory: Inventory) -> Iterator[str]:
    firmware = inventory.firmware
    product = " ".join(part for part in (firmware.vendor, firmware.product) if part) or "This machine"
    threads = inventory.cpu.threads
    facts = [
        "UEFI" if firmware.kind == "uefi" else "BIOS",
        "Secure Boot" if firmware.secure_boot else "",
        f"{threads} CPU thread{'s' if threads > 1 else ''}" if threads else "",
        f"{format_size(inventory.memory)} memory" if inventory.memory else "",
        f"{inventory.image.name} {inventory.image.version}" if inventory.image.name else "",
    ]
    yield from _wrap("", f"{product}: {', '.join(fact for fact in facts if fact)}")


def _disk(disk: Disk, plan: Plan) -> Iterator[str]:
    target = plan.layout is not None and plan.layout.disk.node == disk.node
    yield from _wrap("", f"Disk {describe_disk(disk)}")
    if not target or plan.layout is None:
        what = "is the boot medium and stays as it is" if disk.boot_medium else "stays as it is"
        yield f"  {what}"
        yield ""
        return
    lost = [line.removeprefix(f"{describe_disk(disk)}: ") for line in plan.destroys]
    if disk.contents.finding is Finding.EMPTY and not lost:
        yield "  is empty"
    elif plan.layout.keeps:
        kept = ", ".join(p.label for p in plan.layout.partitions if p.keep)
        yield from _wrap("  ", f"KEEPS the contents of {kept}; EVERYTHING ELSE ON IT IS ERASED:")
    else:
        yield "  WILL BE ERASED. It holds now:" if not plan.refused else "  would be erased. It holds now:"
    if lost or plan.layout.keeps:
        for line in describe_contents(disk):
            yield from _wrap("    ", line)
    yield "  and becomes:"
    for partition in plan.layout.partitions:
        yield _partition(partition, plan.layout)
    yield ""


def _partition(partition: PlannedPartition, layout: Layout) -> str:
    node = layout.node_of(partition).removeprefix("/dev/")
    kind = partition.filesystem or "raw"
    keep = "  kept" if partition.keep else ""
    return f"    {node:<12} {partition.label:<10} {format_size(partition.size):>10}  {kind}{keep}"


def _layout_to_data(layout: Layout, inventory: Inventory) -> dict[str, Any]:
    disk = inventory.disk(layout.disk.node)
    return {
        "node": layout.disk.node,
        "serial": layout.disk.serial,
        "wwn": layout.disk.wwn,
        "model": layout.disk.model,
        "size": layout.disk.size,
        "sector_size": layout.disk.sector_size,
        "holds": list(describe_contents(disk)) if disk else [],
        "partitions": [
            {
                "number": partition.number,
                "node": layout.node_of(partition),
                "role": partition.role.value,
                "start": partition.start,
                "size": partition.size,
                "filesystem": partition.filesystem,
                "uuid": str(partition.uuid),
                "keep": partition.keep,
            }
            for partition in layout.partitions
        ],
    }


def _wrap(lead: str, text: str) -> list[str]:
    return textwrap.wrap(
        text, COLUMNS, initial_indent=lead, subsequent_indent=" " * max(len(lead), 2), break_on_hyphens=False
    )
