"""The steps that bring the root image onto its slot and read it back."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from node.model.size import format_size
from node.model.step import Step
from node.model.system import System


@dataclass(frozen=True)
class WriteRootImage(Step):
    """Stream the squashfs that this system runs from onto a root slot, as it is."""

    timeout_s: ClassVar[float] = 1800.0

    source: Path
    node: str
    size: int
    sha256: str

    def summary(self) -> str:
        """Say it."""
        return f"Copy the root image ({format_size(self.size)}) to {self.node}"

    def apply(self, system: System) -> None:
        """Copy and flush it; the stream's SHA-256 decides."""
        system.payload.copy_image(self.source, self.node, size=self.size, sha256=self.sha256)

    def weight(self) -> int:
        """Its bytes."""
        return self.size


@dataclass(frozen=True)
class VerifyRootImage(Step):
    """Read the root image back from the disk and compare its SHA-256."""

    timeout_s: ClassVar[float] = 1800.0

    node: str
    size: int
    sha256: str

    def summary(self) -> str:
        """Say it."""
        return f"Read the root image back from {self.node} and compare it"

    def apply(self, system: System) -> None:
        """Read what the medium holds, not what memory does."""
        system.payload.verify_image(self.node, size=self.size, sha256=self.sha256)

    def weight(self) -> int:
        """Its bytes."""
        return self.size
