"""Where the agent finds a living node."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Places:
    """Where things are; all below a temporary folder in tests. `image` is the read-only root below `root`."""

    root: Path = Path("/")
    image: Path = Path("/run/node/lower")
    run: Path = Path("/run/node")
    net: Path = Path("/sys/class/net")

    @property
    def rendered(self) -> Path:
        """The list of the files that were rendered, which the start leaves."""
        return self.run / "rendered.json"
