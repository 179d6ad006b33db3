"""Brings the root image to the disk: one checked copy of the file that the installer already runs from."""

from __future__ import annotations

import re
from pathlib import Path

from node.hookspecs import Target, hookimpl
from node.model.answers import Answers
from node.model.inventory import Inventory
from node.model.layout import Role
from node.model.problem import Blame, Problem
from node.model.size import format_size
from node.model.step import PlannedStep
from node.plugins.payload.steps import VerifyRootImage, WriteRootImage


@hookimpl
def node_validate(answers: Answers, inventory: Inventory) -> list[Problem]:
    """Refuse to install where no image of ours runs, or one whose copy couldn't be checked."""
    roles = getattr(answers.sections.get("storage"), "roles", tuple(Role))
    if Role.ROOT_A not in roles:
        return []
    image = inventory.image
    if not image.path or image.size <= 0:
        what = "this system doesn't run from a Nodecrust image, so there is nothing to install"
        return [_problem("no-image", what, "Boot the image over PXE or from USB, and install from there")]
    if not re.fullmatch(r"[0-9a-f]{64}", image.sha256):
        what = "the SHA-256 of the running image isn't known, so a copy of it can't be checked"
        return [_problem("image-unverified", what, "Boot with node.image.sha256=HEX (manifest.json has it)")]
    return []


@hookimpl
def node_plan(inventory: Inventory, target: Target) -> list[PlannedStep]:
    """Write ROOT-A and read it back; ROOT-B stays empty until an update comes."""
    slot = target.layout.get(Role.ROOT_A)
    image = inventory.image
    if slot is None or not image.path:
        return []
    if image.size > slot.size:
        raise ValueError(f"ROOT-A has {format_size(slot.size)}, the image {format_size(image.size)}")
    node = target.layout.node_of(slot)
    return [
        PlannedStep(
            "payload",
            WriteRootImage(source=Path(image.path), node=node, size=image.size, sha256=image.sha256),
            "payload",
        ),
        PlannedStep("verify", VerifyRootImage(node=node, size=image.size, sha256=image.sha256), "payload"),
    ]


def _problem(code: str, what: str, mend: str) -> Problem:
    return Problem(code=code, where="image", what=what, mend=mend, owner="payload", blame=Blame.MACHINE)
