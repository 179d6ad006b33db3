"""What can be asked of burn-in."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from node.model.answers import SectionModel

LONGEST_MIN = 180


class BurnInAnswers(SectionModel):
    """The section `burn_in`. Its results outlive the installation, not what was asked."""

    key: ClassVar[str] = "burn_in"

    minutes: int = Field(
        0,
        ge=0,
        le=LONGEST_MIN,
        description="How long processors and the disk are tried, each; 0 tries nothing.",
    )
    memory_percent: int = Field(
        50, ge=1, le=80, description="Share of the memory that is tried; the installer needs the rest."
    )
    least_mib_s: int = Field(
        0, ge=0, description="A disk that is read more slowly, in MiB/s, is degraded; 0 judges no speed."
    )
    required: bool = Field(
        False,
        description="Whether a machine that fails is not installed; nothing is written to its disk then.",
    )
