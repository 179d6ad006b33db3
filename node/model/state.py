"""The part of the answers that outlives the install: /config/node.yaml."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

STATE_VERSION = 1


@dataclass(frozen=True)
class State:
    """`sections` holds the persistent sections as plain values, by key, in their models' form.

    `install` holds `id` (UUID), `image` ({version, sha256}) and `at` (ISO 8601, UTC). `section_versions` has
    the version of each section whose model is beyond version 1.
    """

    version: int = STATE_VERSION
    install: Mapping[str, Any] = field(default_factory=dict)
    sections: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    section_versions: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class RenderedFile:
    """A file of the root, made afresh at every boot; `path` is absolute.

    A symlink where `target` is set. With `append`, each line of the contents replaces the image's line with
    the same first colon-separated field (as /etc/passwd has them), or is added.

    `live` holds the commands that bring a change of the file into force on a running node: none where writing
    it is enough, None where only the next boot does. `on_trial` marks a file whose change may cut off whoever
    makes it, so that it is taken back unless it is confirmed in time.
    """

    path: str
    contents: str = ""
    mode: int = 0o644
    owner: str = "root"
    group: str = "root"
    target: str = ""
    append: bool = False
    live: tuple[tuple[str, ...], ...] | None = None
    on_trial: bool = False
