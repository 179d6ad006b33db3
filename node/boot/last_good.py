"""What the last good rendering gave, kept on CONFIG to stand in where a plugin or all of nodectl fails."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from node.model.state import RenderedFile
from node.system.files import LiveFiles

FILE = "last-good.json"
ACCESS_FILE = "last-good.access"
_FORMAT = 1
_KEYS = ("path", "contents", "mode", "owner", "group", "target", "append")
# Who may log in, and how. What else a node has, it can do without until somebody looks.
_ACCESS = ("/etc/passwd", "/etc/group", "/etc/shadow", "/etc/gshadow", "/etc/tmpfiles.d/nodecrust-home.conf")
_ACCESS_FOLDERS = ("/etc/ssh/", "/etc/sudoers.d/")

ByPlugin = Mapping[str, tuple[RenderedFile, ...]]


@dataclass(frozen=True)
class LastGood:
    """Files by the name of their plugin; `warning` says why there are none where a record is damaged.

    `made_of` is the digest of what they were rendered from, where nothing was amiss; see node.boot.unchanged.
    `declared` are the paths that plugins wanted kept, by plugin.
    """

    files: ByPlugin = field(default_factory=dict)
    warning: str = ""
    made_of: str = ""
    declared: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def all(self) -> tuple[RenderedFile, ...]:
        """Every file of every plugin."""
        return tuple(file for rendered in self.files.values() for file in rendered)


def read_last_good(config: Path) -> LastGood:
    """Give what a CONFIG folder remembers; nothing of a record that can't be read whole."""
    try:
        document = json.loads((config / FILE).read_bytes())
        if document["format"] != _FORMAT:
            return LastGood(warning=f"{FILE} is of another image's kind and isn't used")
        files = {
            str(name): tuple(_file(one) for one in rendered) for name, rendered in document["plugins"].items()
        }
        declared = {
            str(name): tuple(str(path) for path in paths)
            for name, paths in document.get("declared", {}).items()
        }
    except FileNotFoundError:
        return LastGood()
    except OSError as error:
        return LastGood(warning=f"{FILE} can't be read: {error.strerror}")
    except (ValueError, LookupError, TypeError, AttributeError):
        return LastGood(warning=f"{FILE} is damaged and isn't used")
    return LastGood(files, made_of=str(document.get("made_of", "")), declared=declared)


def remember(
    config: Path,
    files: ByPlugin,
    *,
    made_of: str = "",
    declared: Mapping[str, Sequence[str]] = MappingProxyType({}),
) -> str:
    """Keep a good rendering where it is news; give "" or, in words, why it could not be kept.

    The order of the plugins is kept: a later one's file stands where two give the same.
    """
    plugins = {name: [_values(file) for file in rendered] for name, rendered in files.items()}
    kept = {"format": _FORMAT, "made_of": made_of, "plugins": plugins, "declared": dict(declared)}
    document = json.dumps(kept, indent=1, ensure_ascii=False) + "\n"
    access = access_text(file for rendered in files.values() for file in rendered)
    try:
        for name, text in ((FILE, document), (ACCESS_FILE, access)):
            _write_news(config / name, text.encode())
    except OSError as error:
        return f"the configuration of this start could not be kept as the last good one: {error.strerror}"
    return ""


def access_text(files: Iterable[RenderedFile]) -> str:
    """Give what lets people in, as a text that the initrd's shell reads when there is no Python.

    A line `file MODE PATH`, or `append MODE PATH` for lines of /etc/passwd and its like; below it the
    contents, each line with a space before it.
    """
    text = ""
    for file in files:
        ours = file.path in _ACCESS or file.path.startswith(_ACCESS_FOLDERS)
        if ours and not file.target and len(file.path.split()) == 1:
            text += f"{'append' if file.append else 'file'} {file.mode:04o} {file.path}\n"
            text += "".join(f" {line}\n" for line in file.contents.splitlines())
    return text


def _write_news(path: Path, contents: bytes) -> None:
    try:
        known = path.read_bytes()
    except OSError:
        known = None
    if known != contents:
        # It holds password hashes.
        LiveFiles().write(path, contents, mode=0o600)


def _values(file: RenderedFile) -> dict[str, Any]:
    return {key: getattr(file, key) for key in _KEYS}


def _file(values: Mapping[str, Any]) -> RenderedFile:
    if set(values) != set(_KEYS) or not str(values["path"]).startswith("/"):
        raise ValueError("not a file")
    return RenderedFile(**values)
