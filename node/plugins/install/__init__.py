"""Offers the section `install` of the answers; its model belongs to the model, since the planner reads it."""

from __future__ import annotations

from node.hookspecs import hookimpl
from node.model.answers import Section
from node.model.install import InstallAnswers
from node.model.inventory import Inventory
from node.model.problem import Blame, Problem
from node.plugins.install.pages import PAGES


@hookimpl
def node_sections() -> list[Section]:
    """Offer `install`."""
    return [
        Section(
            InstallAnswers, "Installation", "How the installation runs and what comes after it.", pages=PAGES
        )
    ]


@hookimpl
def node_validate(inventory: Inventory) -> list[Problem]:
    """Refuse a machine that the image was not built for."""
    if inventory.architecture in {"", "x86_64"}:
        return []
    return [
        Problem(
            code="architecture",
            where="machine",
            what=f"this machine is {inventory.architecture}, and the image is built for x86_64",
            mend="Use a machine with an x86_64 processor",
            owner="install",
            blame=Blame.MACHINE,
        )
    ]
