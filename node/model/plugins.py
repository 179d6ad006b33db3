"""The section of the answers that speaks of plugins, and what stands in for that of one that is missing."""

from __future__ import annotations

from typing import ClassVar

from pydantic import ConfigDict, Field

from node.model.answers import SectionModel
from node.model.words import Words


class PluginsAnswers(SectionModel):
    """Which plugins an installation can't do without."""

    key: ClassVar[str] = "plugins"

    required: Words = Field(
        (),
        description="Plugins that must be there and must not fail: else nothing is written. Any other one "
        "that fails is left out, with a warning.",
    )


class LeftOut(SectionModel):
    """What was said for a plugin that is not there: taken as it is, and used by nobody."""

    model_config = ConfigDict(extra="allow")
