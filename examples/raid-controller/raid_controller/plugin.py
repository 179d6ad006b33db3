"""The hooks."""

from __future__ import annotations

from collections.abc import Sequence

from node.hookspecs import hookimpl
from node.model.answers import Answers, Section
from node.model.page import DISK, ChoiceField, ListField, Page
from node.model.problem import Problem
from node.model.step import PrepareStep
from raid_controller.answers import RaidAnswers
from raid_controller.raidsim import LEAST
from raid_controller.steps import MakeVolume

PAGE = Page(
    "raid",
    "RAID controller",
    "The controller shows no disk before it has a volume. What is asked here is done before a disk is "
    "chosen; then the disks are listed.",
    # Before the page of the disks.
    DISK - 5,
    (
        ChoiceField(
            key="raid.level",
            label="Volume",
            options=(
                ("", "leave the controller as it is"),
                ("0", "RAID 0: all space, no drive may fail"),
                ("1", "RAID 1: two drives hold the same"),
                ("5", "RAID 5: one drive may fail"),
                ("10", "RAID 10: mirrors, striped"),
            ),
        ),
        ListField(key="raid.drives", label="Drives", help="Serial numbers.", empty="every free drive"),
        ListField(
            key="raid.consent",
            label="May be lost",
            help="The serial number of the controller, where its other volumes may be deleted with all data.",
            empty="other volumes stay",
        ),
    ),
)


@hookimpl
def node_sections() -> Sequence[Section]:
    """Offer `raid`, asked before the disks."""
    return (
        Section(RaidAnswers, "RAID controller", "Makes a volume before disks are chosen.", pages=(PAGE,)),
    )


@hookimpl
def node_validate(answers: Answers) -> Sequence[Problem]:
    """Refuse drives that are too few or named twice."""
    asked = answers[RaidAnswers]
    drives = asked.drives
    if len(set(drives)) != len(drives):
        return (Problem("raid-drives", "raid.drives", "names a drive twice", "Name each once"),)
    if asked.level and drives and len(drives) < LEAST[asked.level]:
        return (
            Problem(
                "raid-drives",
                "raid.drives",
                f"are {len(drives)}, and level {asked.level} needs {LEAST[asked.level]}",
                "Name more of them, or take another level",
            ),
        )
    return ()


@hookimpl
def node_prepare(answers: Answers) -> Sequence[PrepareStep]:
    """Make the volume, where one is asked for."""
    asked = answers[RaidAnswers]
    return (MakeVolume(asked.level, asked.drives, asked.consent),) if asked.level else ()
