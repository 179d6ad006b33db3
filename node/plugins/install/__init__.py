"""Offers the sections `install` and `plugins`, whose models the planner reads too."""

from __future__ import annotations

from node.hookspecs import hookimpl
from node.model.answers import Section
from node.model.install import InstallAnswers
from node.model.inventory import Inventory
from node.model.page import Page
from node.model.plugins import PluginsAnswers
from node.model.problem import Blame, Problem
from node.plugins.install.pages import PAGES


@hookimpl
def node_sections() -> list[Section]:
    """Offer `install` and `plugins`."""
    words = "Which plugins an installation can't do without."
    return [
        Section(
            InstallAnswers, "Installation", "How the installation runs and what comes after it.", pages=PAGES
        ),
        Section(PluginsAnswers, "Plugins", words, pages=(Page("plugins", "Plugins", words, asked=False),)),
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
