"""Where a start finds things and leaves them."""

from __future__ import annotations

import socket
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Places:
    """All below a temporary folder in tests. `network` is where the initrd's own network files are."""

    root: Path = Path("/")
    config: Path = Path("/config")
    run: Path = Path("/run/node")
    network: Path = Path("/run/systemd/network")
    cmdline: Path = Path("/proc/cmdline")
    net: Path = Path("/sys/class/net")
    set_host_name: Callable[[str], None] = socket.sethostname
