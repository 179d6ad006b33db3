"""Runs pieces of the initrd's script in bash, with folders and programs of our own."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

LIB = Path(__file__).parents[3] / "image/initrd/90nodecrust/lib"
PARTS = ("console", "addresses", "bond", "links", "settle", "network_files", "cmdline", "network", "download",
         "device", "root", "config", "plugins", "rescue", "pace")  # fmt: skip


@dataclass
class InitrdShell:
    """A machine made of files: a kernel command line, consoles, and fake programs first on the PATH."""

    folder: Path
    environment: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("proc/net", "sys/class/tty/console", "dev", "run", "bin", "fetched", "networks"):
            (self.folder / name).mkdir(parents=True)
        self.write("sys/class/tty/console/active", "tty0 ttyS0\n")
        self.write("proc/meminfo", "MemTotal: 8000000 kB\nMemAvailable: 4000000 kB\n")
        for name in ("dev/tty0", "dev/ttyS0"):
            self.write(name, "")

    def write(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def program(self, name: str, script: str) -> None:
        self.write(f"bin/{name}", f"#!/bin/bash\n{script}\n").chmod(0o755)

    def console(self, name: str = "ttyS0") -> str:
        return (self.folder / "dev" / name).read_text()

    def run(self, script: str, *, timeout_s: float = 30) -> subprocess.CompletedProcess[str]:
        sources = "".join(f". {LIB}/{part}.sh\n" for part in PARTS)
        return subprocess.run(
            ["bash", "-c", f"set -u -o pipefail\n{sources}{script}"],
            env={
                "PATH": f"{self.folder}/bin:{os.environ['PATH']}",
                "PROC": f"{self.folder}/proc",
                "SYS": f"{self.folder}/sys",
                "DEV": f"{self.folder}/dev",
                "RUN": f"{self.folder}/run",
                "NODE_RUN": f"{self.folder}/run",
                "FETCHED": f"{self.folder}/fetched",
                "NETWORK_FILES": f"{self.folder}/networks",
                "SYSROOT": f"{self.folder}/sysroot",
                "CONSOLE_TIMEOUT_S": "1",
                **self.environment,
            },
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )

    def request(self, cmdline: str) -> dict[str, str]:
        """What `read_request` makes of a kernel command line."""
        self.write("proc/cmdline", f"{cmdline}\n")
        names = ("IMAGE", "IMAGE_KIND", "IMAGE_SHA256", "IMAGE_SIZE", "BOOT_MAC", "NETWORK_ARGUMENTS")
        prints = "".join(f'printf "{name}=%s\\n" "${name}"\n' for name in names)
        lists = "".join(
            f'printf "{name}=%s\\n" "${{{name}[*]}}"\n' for name in ("REQUEST_PROBLEMS", "REQUEST_WARNINGS")
        )
        said = self.run(f"read_request\n{prints}{lists}")
        assert said.returncode == 0, said.stderr
        return dict(line.split("=", 1) for line in said.stdout.splitlines())
