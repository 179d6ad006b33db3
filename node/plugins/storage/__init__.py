"""Chooses the node's disk, lays it out, makes it and mounts it: now for the install, by fstab ever after."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from uuid import UUID

from node.hookspecs import LayoutProposal, Support, Target, hookimpl
from node.model.answers import Answers, Section
from node.model.inventory import Disk, Inventory
from node.model.layout import Role
from node.model.problem import Problem
from node.model.state import RenderedFile, State
from node.model.step import PlannedStep, Step
from node.plugins.storage.answers import StorageAnswers
from node.plugins.storage.arrangement import arrange
from node.plugins.storage.check import check, check_consent
from node.plugins.storage.choice import choose_disk
from node.plugins.storage.foreign import foreign
from node.plugins.storage.fstab import fstab
from node.plugins.storage.old_boot import old_boot_areas
from node.plugins.storage.pages import PAGES
from node.plugins.storage.steps import CheckDisk, MakeFilesystem, MountTarget, PartitionDisk, ReleaseDisk

# What the steps after these write to, below the target folder.
_MOUNTED = {Role.BOOT: Path("boot"), Role.ESP: Path("esp"), Role.CONFIG: Path("config")}


@hookimpl
def node_sections() -> list[Section]:
    """Offer `storage`."""
    words = "Which disk the node is installed on, and how it is divided."
    return [Section(StorageAnswers, "Disk", words, pages=PAGES)]


@hookimpl
def node_support(capability: str) -> Support:
    """Lay out any disk, as well as anyone who knows nothing special about it."""
    return Support.GENERIC if capability == "disk-layout" else Support.NONE


@hookimpl
def node_disk_layout(inventory: Inventory, answers: Answers, install_id: str) -> LayoutProposal:
    """Choose by rule and lay out; every problem of both is named at once."""
    choice = choose_disk(inventory, answers)
    if choice.disk is None:
        return LayoutProposal(None, choice.problems)
    storage = answers[StorageAnswers]
    found = arrange(choice.disk, inventory, storage, UUID(install_id))
    problems = (*choice.problems, *found.problems, *check(choice.disk, inventory, storage))
    return LayoutProposal(found.layout, problems)


@hookimpl
def node_veto_disk(disk: Disk) -> list[Problem]:
    """Name what reaches beyond the disk."""
    return foreign(disk)


@hookimpl
def node_validate(answers: Answers, inventory: Inventory) -> list[Problem]:
    """Name consents that are none."""
    found = check_consent(answers[StorageAnswers], inventory)
    origin = answers.origin("storage.consent")
    return [replace(problem, origin=origin) for problem in found]


@hookimpl
def node_plan(inventory: Inventory, target: Target) -> list[PlannedStep]:
    """Check, release, partition, format and mount."""
    layout = target.layout
    disk = inventory.disk(layout.disk.node)
    if disk is None:  # the layout is another plugin's, of a disk that the inventory doesn't show
        return []
    steps: list[tuple[str, Step]] = [
        ("check", CheckDisk(layout.disk, disk.contents, disk.partitions)),
        ("release", ReleaseDisk(layout.disk)),
        ("partition", PartitionDisk(layout, old_boot_areas(disk, layout))),
    ]
    for partition in layout.partitions:
        node = layout.node_of(partition)
        if partition.filesystem and not partition.keep:
            make = MakeFilesystem(node, partition.filesystem, partition.label, partition.filesystem_uuid)
            steps.append(("format", make))
        if partition.role in _MOUNTED:
            steps.append(("mount", MountTarget(node, _MOUNTED[partition.role], partition.filesystem)))
    return [PlannedStep(phase, step, "storage") for phase, step in steps]


@hookimpl
def node_render(state: State) -> list[RenderedFile]:
    """Mount what the disk has."""
    text = fstab(state.install)
    return [RenderedFile("/etc/fstab", text)] if text else []
