"""Where a node's log goes besides its own journal."""

from __future__ import annotations

from collections.abc import Sequence

from node.hookspecs import hookimpl
from node.model.answers import Answers, Section
from node.model.page import Page
from node.model.problem import Problem
from node.model.state import RenderedFile, State
from node.plugins.logging.answers import LoggingAnswers
from node.plugins.logging.check import problems
from node.plugins.logging.render import rendered

__all__ = ["LoggingAnswers", "node_render", "node_sections", "node_validate"]


@hookimpl
def node_sections() -> Sequence[Section]:
    """Offer the section `logging`."""
    return (
        Section(
            LoggingAnswers,
            "Logging",
            "Log servers. The whole journal is sent to each, as RFC 5424 has it; what a server misses while "
            "it is away is sent later, after a reboot too.",
            # Asked of nobody: most nodes want none of it.
            pages=(Page("logging", "Logging", asked=False),),
        ),
    )


@hookimpl
def node_validate(answers: Answers) -> Sequence[Problem]:
    """Name settings of TLS that nothing uses."""
    return problems(answers)


@hookimpl
def node_render(state: State) -> Sequence[RenderedFile]:
    """Give rsyslog's configuration, for what the state sets."""
    return rendered(LoggingAnswers.model_validate(state.sections.get("logging", {})))
