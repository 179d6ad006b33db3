"""What the node remembers of its server between two visits: a file on CONFIG."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

from node.errors import NodeError
from node.model.system import Files

MEMORY_FILE = "memory.json"
CA_FILE = "ca.pem"
CERTIFICATE_FILE = "certificate.pem"
_MODE = 0o600


@dataclass(frozen=True)
class Memory:
    """`server` and `ca` say which server all of it is about.

    `token_used` is the SHA-256 of a token that let the node in. `base` is the number of the happening before
    the first that was for this server, `heard` the last one that it has. `generation` is the highest desired
    configuration that was seen, `trying` one whose end is not known yet, `untold` an outcome that the server
    has not heard of.
    """

    server: str = ""
    ca: str = ""
    node_id: str = ""
    state: str = ""
    token_used: str = ""
    base: int = 0
    heard: int = 0
    facts_sha256: str = ""
    facts_boot: str = ""
    facts_cards: str = ""
    generation: int = 0
    etag: str = ""
    trying: int = 0
    untold: tuple[int, str, str] | None = None

    def about(self, server: str, ca: str, *, base: int) -> Memory:
        """Give what is known of this server: nothing where the memory is of another one."""
        return self if (self.server, self.ca) == (server, ca) else Memory(server, ca, base=base, heard=base)


def read_memory(folder: Path, files: Files) -> Memory:
    """Give what is remembered; nothing where there is none or it can't be read: the server knows the rest."""
    try:
        data: dict[str, Any] = json.loads(files.read(folder / MEMORY_FILE))
        known = {field.name: data[field.name] for field in fields(Memory) if field.name in data}
        memory = Memory(**known)
        untold = memory.untold
        return replace(memory, untold=(int(untold[0]), str(untold[1]), str(untold[2])) if untold else None)
    except (OSError, ValueError, TypeError, KeyError, IndexError):
        return Memory()


def write_memory(folder: Path, files: Files, memory: Memory) -> None:
    """Write it down, flushed; NodeError where CONFIG takes it not."""
    keep(folder / MEMORY_FILE, json.dumps(asdict(memory), indent=1) + "\n", files)


def keep(path: Path, text: str, files: Files) -> None:
    """Write a file of ours; root's alone."""
    try:
        files.write(path, text.encode(), mode=_MODE)
    except OSError as error:
        raise NodeError(
            f"{path.name} can't be written to CONFIG: {error.strerror or error}",
            mend="See `nodectl status` for CONFIG",
        ) from None
