"""cobbler, which many machines are booted by: made known to it, and not booted over the network again."""

from __future__ import annotations

from collections.abc import Sequence

from node.hookspecs import REGISTRATION_LIVE, hookimpl
from node.model.answers import Answers, Section
from node.model.problem import Problem
from node.model.registration import Backend
from node.model.state import RenderedFile, State
from node.plugins.cobbler.answers import CobblerAnswers
from node.plugins.cobbler.backend import NAME, CobblerBackend
from node.plugins.cobbler.check import problems
from node.plugins.cobbler.pages import PAGES

__all__ = ["CobblerAnswers", "node_register", "node_render", "node_sections", "node_validate"]


@hookimpl
def node_sections() -> Sequence[Section]:
    """Offer the section `cobbler`."""
    return (
        Section(
            CobblerAnswers,
            "Cobbler",
            "A cobbler server that is told of this machine, and to start it from its disk.",
            pages=PAGES,
        ),
    )


@hookimpl
def node_validate(answers: Answers) -> Sequence[Problem]:
    """Refuse a server that can't be told from another."""
    return problems(answers)


@hookimpl
def node_render(state: State) -> Sequence[RenderedFile]:
    """Give the word that cobbler is to be told something, without the password."""
    section = _section(state)
    if not section.server:
        return ()
    words = f"{section.server}\n{section.system} {section.profile}\n"
    return (RenderedFile(f"/etc/nodecrust/registration.d/{NAME}", words, live=REGISTRATION_LIVE),)


@hookimpl
def node_register(state: State) -> Sequence[Backend]:
    """Give the backend, where a server is named that may be spoken to."""
    section = _section(state)
    if not section.server or (section.server.startswith("http:") and not section.trust):
        return ()
    return (
        CobblerBackend(
            section.server,
            section.fingerprint,
            section.system,
            section.netboot_off,
            section.register_system,
            section.profile,
            section.user,
            section.password,
        ),
    )


def _section(state: State) -> CobblerAnswers:
    return CobblerAnswers.model_validate(state.sections.get("cobbler", {}))
