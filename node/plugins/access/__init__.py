"""Who may log in to a node: the admin user, root, SSH."""

from __future__ import annotations

from collections.abc import Sequence

from node.hookspecs import Target, hookimpl
from node.model.answers import Answers, Section
from node.model.inventory import Inventory
from node.model.layout import Role
from node.model.problem import Problem
from node.model.state import RenderedFile, State
from node.model.step import PlannedStep
from node.plugins.access.answers import AccessAnswers
from node.plugins.access.check import problems
from node.plugins.access.host_key import MakeHostKey
from node.plugins.access.pages import PAGES
from node.plugins.access.render import rendered

__all__ = ["AccessAnswers", "node_plan", "node_render", "node_sections", "node_validate"]


@hookimpl
def node_sections() -> Sequence[Section]:
    """Offer the section `access`."""
    return (
        Section(
            AccessAnswers,
            "Access",
            "Who may log in: the admin user, root, and how SSH lets them in.",
            pages=PAGES,
        ),
    )


@hookimpl
def node_validate(answers: Answers) -> Sequence[Problem]:
    """Name what would leave a node that nobody can log in to."""
    return problems(answers)


@hookimpl
def node_plan(answers: Answers, inventory: Inventory, target: Target) -> Sequence[PlannedStep]:
    """Make the host key where the layout has a CONFIG to keep it."""
    del answers, inventory
    return (PlannedStep("configure", MakeHostKey(), "access"),) if target.layout.get(Role.CONFIG) else ()


@hookimpl
def node_render(state: State) -> Sequence[RenderedFile]:
    """Give accounts, password hashes, keys and the configuration of sshd and sudo."""
    access = AccessAnswers.model_validate(state.sections.get("access", {}))
    return rendered(access, installed=str(state.install.get("at", ""))[: len("2027-06-30")])
