"""Registration with the management server: the section, the backend, and what the status says of it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from node.hookspecs import REGISTRATION_LIVE, StatusLine, hookimpl
from node.model.answers import Answers, Section
from node.model.inventory import Inventory
from node.model.problem import Problem
from node.model.registration import Backend
from node.model.state import RenderedFile, State
from node.plugins.registration.answers import RegistrationAnswers
from node.plugins.registration.backend import NAME, ServerBackend
from node.plugins.registration.check import problems
from node.plugins.registration.pages import PAGES
from node.plugins.registration.panel import lines

__all__ = ["RegistrationAnswers", "node_register", "node_render", "node_sections", "node_validate"]


@hookimpl
def node_sections() -> Sequence[Section]:
    """Offer the section `registration`."""
    return (
        Section(
            RegistrationAnswers,
            "Registration",
            "The management server that the node makes itself known to.",
            pages=PAGES,
        ),
    )


@hookimpl
def node_validate(answers: Answers) -> Sequence[Problem]:
    """Refuse a server without a fingerprint."""
    return problems(answers)


@hookimpl
def node_render(state: State) -> Sequence[RenderedFile]:
    """Give the word that a server is asked for, without the token."""
    section = _section(state)
    if not section.server:
        return ()
    # Which token, so that the agent starts anew when another one is given; not the token.
    digest = hashlib.sha256(section.token.encode()).hexdigest()
    given = f"token {digest[:16]}" if section.token else "without a token"
    words = "\n".join((section.server, section.fingerprint, section.pool, given))
    path = f"/etc/nodecrust/registration.d/{NAME}"
    return (RenderedFile(path, f"{words}\n", live=REGISTRATION_LIVE),)


@hookimpl
def node_register(state: State) -> Sequence[Backend]:
    """Give the backend of the server, where one is named."""
    section = _section(state)
    if not section.server:
        return ()
    return (ServerBackend(section.server, section.fingerprint, section.token, section.pool),)


@hookimpl
def node_status_panels(inventory: Inventory) -> Sequence[StatusLine]:
    """Say where the node stands with every server that it was told of, and what is to be done."""
    return lines(inventory.facts.get("registration"))


def _section(state: State) -> RegistrationAnswers:
    return RegistrationAnswers.model_validate(state.sections.get("registration", {}))
