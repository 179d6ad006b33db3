"""Language, keyboard and time zone of a node."""

from __future__ import annotations

from collections.abc import Sequence

from node.hookspecs import hookimpl
from node.model.answers import Section
from node.model.state import RenderedFile, State
from node.plugins.locale.answers import LocaleAnswers
from node.plugins.locale.pages import PAGES
from node.plugins.locale.render import rendered

__all__ = ["LocaleAnswers", "node_render", "node_sections"]


@hookimpl
def node_sections() -> Sequence[Section]:
    """Offer the section `locale`."""
    return (Section(LocaleAnswers, "Language and time", "Language, keyboard and time zone.", pages=PAGES),)


@hookimpl
def node_render(state: State) -> Sequence[RenderedFile]:
    """Give the files of language, keyboard and time zone, for what the state sets."""
    return rendered(LocaleAnswers.model_validate(state.sections.get("locale", {})))
