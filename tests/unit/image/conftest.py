"""A kickstart in a temporary folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from image.kickstart import Kickstart, load

# What a node takes for one; nobody knows the password or has the other half of the key.
HASH = "$6$saltsalt$" + 86 * "x"
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

KickstartText = Callable[..., Kickstart]


@pytest.fixture
def kickstart(tmp_path: Path) -> KickstartText:
    """Writes a kickstart, with the files that it includes by name, and loads it."""

    def write(text: str, *, ks_version: str | None = None, **included: str) -> Kickstart:
        for name, content in included.items():
            (tmp_path / f"{name}.ks").write_text(content)
        path = tmp_path / "main.ks"
        path.write_text(text)
        return load(path, ks_version=ks_version)

    return write
