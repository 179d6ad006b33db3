"""What can be asked of the controller."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from node.model.answers import SectionModel


class RaidAnswers(SectionModel):
    """The section `raid`. It is of no use once the node is installed, and doesn't outlive that."""

    key: ClassVar[str] = "raid"

    level: Literal["", "0", "1", "5", "10"] = Field(
        "", description="The level of the one volume that is made; empty leaves the controller as it is."
    )
    drives: tuple[str, ...] = Field(
        (), description="Serial numbers of the drives; none takes every drive that is free."
    )
    consent: tuple[str, ...] = Field(
        (),
        description="Serial numbers of controllers whose other volumes may be deleted, with all their data.",
    )
