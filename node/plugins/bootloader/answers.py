"""The section `boot`: how the installed node starts."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field, field_validator

from node.model.answers import SectionModel
from node.model.refusal import refuse
from node.plugins.bootloader.arguments import is_ours, words


class BootAnswers(SectionModel):
    """The boot menu and what is added to the kernel's arguments."""

    key: ClassVar[str] = "boot"
    persists: ClassVar[bool] = True

    append: str = Field(default="", description="Kernel arguments to add, as one line.")
    timeout: int = Field(default=3, ge=0, le=600, description="Seconds that the boot menu waits.")

    @field_validator("append")
    @classmethod
    def _one_line(cls, text: str) -> str:
        if not text.isprintable():
            raise refuse("kernel-arguments", "these are no kernel arguments: they must be one printable line")
        if set(text) & set("\\'"):
            raise refuse(
                "kernel-arguments",
                "a backslash or a single quote doesn't come through GRUB to the kernel",
                "Leave it out; double quotes keep blanks together",
            )
        if text.count('"') % 2:
            raise refuse("kernel-arguments", "a double quote is not closed", 'Close it with another "')
        if taken := [word for word in words(text) if is_ours(word)]:
            raise refuse(
                "kernel-arguments",
                f"{', '.join(taken)}: the installer sets this itself, or it is meant for the installer only",
                "Leave it out of boot.append",
            )
        return text.strip()
