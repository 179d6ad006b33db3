"""The section of the answers that speaks of the installation itself."""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar

from pydantic import Field

from node.model.answers import SectionModel
from node.model.words import Words


class Mode(StrEnum):
    """Whether someone sits at the screen."""

    INTERACTIVE = "interactive"
    UNATTENDED = "unattended"


class Afterwards(StrEnum):
    """What the machine does when the installation is done."""

    REBOOT = "reboot"
    POWEROFF = "poweroff"
    STAY = "stay"


class InstallAnswers(SectionModel):
    """How the installation runs."""

    key: ClassVar[str] = "install"

    mode: Mode = Field(Mode.INTERACTIVE, description="`unattended` installs without asking.")
    afterwards: Afterwards = Field(Afterwards.REBOOT, description="What to do when it is done.")
    reinstall: str = Field(
        "",
        pattern=r"^[A-Za-z0-9._:-]{0,64}$",
        description="An ID of your choice: install again over a finished installation, once for each ID.",
    )
    locked: Words = Field(
        (), description="Keys that the screens show and don't let change, such as `storage.disk` or `access`."
    )
