"""The network of a node: host name, netplan's schema, name and time servers."""

from __future__ import annotations

from collections.abc import Sequence

from node.hookspecs import hookimpl
from node.model.answers import Answers, Section
from node.model.inventory import Inventory
from node.model.problem import Problem
from node.model.state import RenderedFile, State
from node.plugins.network.answers import NetworkAnswers
from node.plugins.network.check import problems
from node.plugins.network.pages import PAGES
from node.plugins.network.render import rendered

__all__ = ["NetworkAnswers", "node_render", "node_sections", "node_validate"]


@hookimpl
def node_sections() -> Sequence[Section]:
    """Offer the section `network`."""
    return (
        Section(
            NetworkAnswers,
            "Network",
            "Host name, interfaces in netplan's own schema, name servers and time servers.",
            pages=PAGES,
        ),
    )


@hookimpl
def node_validate(answers: Answers, inventory: Inventory) -> Sequence[Problem]:
    """Name interfaces that this machine doesn't have; netplan itself checks the rest, in the flow."""
    return problems(answers, inventory)


@hookimpl
def node_render(state: State) -> Sequence[RenderedFile]:
    """Give host name, hosts, netplan's document and the servers' drop-ins."""
    return rendered(NetworkAnswers.model_validate(state.sections.get("network", {})))
