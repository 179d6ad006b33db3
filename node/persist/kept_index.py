"""kept/index.json: which files are kept, and the blob of each. What it doesn't name isn't kept."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from node.errors import NodeError
from node.model.kept import Entry, Index, KeptPath, Kind
from node.system.files import FileCalls, LiveFiles

KEPT = "kept"
INDEX_FILE = "index.json"
PREVIOUS_FILE = "index.previous.json"
VERSION = 1

_TYPES: Mapping[str, type] = {
    "mode": int,
    "uid": int,
    "gid": int,
    "mtime_ns": int,
    "size": int,
    "implied": bool,
}
_DEFAULTS = Entry("/", Kind.FILE)


class BrokenIndexError(NodeError):
    """An index that is there and can't be used."""


class NewerIndexError(BrokenIndexError):
    """An index of a version that this image doesn't know: it is left as it is."""


@dataclass(frozen=True)
class StoredIndex:
    """An index as it was found; `warning` says why it isn't the newest one, "" where it is."""

    index: Index
    warning: str = ""


def index_to_text(index: Index) -> str:
    """Give the index as JSON with a digest of itself; names that are no UTF-8 come through (PEP 383)."""
    body = {
        "paths": [{"path": kept.path, "by": kept.by} for kept in index.paths],
        "entries": [_entry_to_data(entry) for entry in index.entries],
    }
    return json.dumps({"version": VERSION, "sha256": _digest(body), **body}, separators=(",", ":")) + "\n"


def index_from_text(text: str) -> Index:
    """Read an index. BrokenIndexError where it is none; NewerIndexError where it is of a later version."""
    try:
        document = json.loads(text)
        version = document["version"]
        if isinstance(version, int) and version > VERSION:
            raise NewerIndexError(
                f"the list of kept files has version {version}; this image knows {VERSION}",
                mend="Boot an image that knows this version; until then no file is kept anew",
            )
        body = {"paths": document["paths"], "entries": document["entries"]}
        if document["sha256"] != _digest(body):
            raise BrokenIndexError("the list of kept files is damaged")
        return Index(
            tuple(KeptPath(_path(each["path"]), str(each["by"])) for each in body["paths"]),
            tuple(_entry_from_data(each) for each in body["entries"]),
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise BrokenIndexError("the list of kept files is damaged") from error


def read_index(folder: Path) -> StoredIndex:
    """Read the index of a folder `kept`; an empty one where there is none.

    A broken one gives way to the one before it, with a warning; BrokenIndexError where that is no better.
    """
    try:
        return StoredIndex(_read(folder / INDEX_FILE))
    except NewerIndexError:
        raise
    except FileNotFoundError:
        broken = BrokenIndexError("the list of kept files is gone")
    except BrokenIndexError as error:
        broken = error
    try:
        previous = _read(folder / PREVIOUS_FILE)
    except FileNotFoundError:
        if not (folder / INDEX_FILE).exists():
            return StoredIndex(Index())
        raise broken from None
    except BrokenIndexError:
        raise broken from None
    return StoredIndex(previous, f"{broken.brief}, so the one before it is used ({folder / PREVIOUS_FILE})")


def write_index(folder: Path, index: Index, calls: FileCalls = os) -> None:
    """Replace the index; one that was there becomes, if whole, the previous. Readable by root alone."""
    files = LiveFiles(calls)
    try:
        _read(folder / INDEX_FILE)
    except (FileNotFoundError, BrokenIndexError):
        pass
    else:
        files.copy(folder / INDEX_FILE, folder / PREVIOUS_FILE, mode=0o600)
    files.write(folder / INDEX_FILE, index_to_text(index).encode("ascii"), mode=0o600)


def _read(path: Path) -> Index:
    try:
        return index_from_text(path.read_text(encoding="ascii"))
    except UnicodeDecodeError as error:
        raise BrokenIndexError("the list of kept files is damaged") from error
    except FileNotFoundError:
        raise
    except OSError as error:
        raise BrokenIndexError(f"the list of kept files can't be read: {error.strerror}") from error


def _digest(body: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(body, separators=(",", ":"), sort_keys=True).encode("ascii")).hexdigest()


def _entry_to_data(entry: Entry) -> dict[str, Any]:
    """Give an entry's fields but those that are as they are without a word."""
    data: dict[str, Any] = {"path": entry.path, "kind": entry.kind.value}
    for field in fields(entry):
        value = getattr(entry, field.name)
        if field.name not in data and value != getattr(_DEFAULTS, field.name):
            data[field.name] = value
    if entry.xattrs:
        data["xattrs"] = {name: base64.b64encode(value).decode("ascii") for name, value in entry.xattrs}
    return data


def _entry_from_data(data: Mapping[str, Any]) -> Entry:
    values: dict[str, Any] = {}
    for name, value in data.items():
        if name == "xattrs":
            values[name] = tuple((str(key), _bytes(text)) for key, text in value.items())
        elif name == "kind":
            values[name] = Kind(value)
        elif type(value) is not _TYPES.get(name, str):
            raise TypeError(name)
        else:
            values[name] = value
    _path(values["path"])
    return Entry(**values)


def _bytes(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise ValueError(text) from error


def _path(text: Any) -> str:
    """Check a path: nothing that an index says may lead out of the root."""
    if not isinstance(text, str) or not text.startswith("/") or "\0" in text:
        raise ValueError(text)
    if any(part in ("", ".", "..") for part in text.split("/")[1:]):
        raise ValueError(text)
    return text
