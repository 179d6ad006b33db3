"""Reads a zip archive that somebody else made, whole and with limits."""

from __future__ import annotations

import stat
import struct
import zipfile
import zlib
from collections import Counter
from dataclasses import dataclass
from typing import IO

from node.model.file_names import wrong_with_name, wrong_with_names
from node.model.size import MIB

# A vendor's plugin is a few hundred files; these keep a crafted archive from filling the memory.
MOST_FILES = 20_000
MOST_BYTES = 256 * MIB

_ENCRYPTED = 0x1  # general purpose bit 0 (PKWARE APPNOTE 4.4.4)


class BadArchiveError(ValueError):
    """The archive can't be taken; the message says why, as the end of a sentence about it."""


@dataclass(frozen=True)
class ZipFile:
    """A file of an archive. Its mode is no more than whether it may be run."""

    data: bytes
    executable: bool = False


def read_zip(file: IO[bytes], *, most_bytes: int = MOST_BYTES) -> dict[str, ZipFile]:
    """Give the files of an archive by name, sorted; folders are left out.

    BadArchiveError where it is damaged, encrypted or too big, or holds names that lead elsewhere, the same
    name twice, or anything that is no plain file.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            return _read(archive, most_bytes)
    except BadArchiveError:
        raise
    except (zipfile.BadZipFile, zlib.error, EOFError, struct.error, OSError) as error:
        raise BadArchiveError(f"is damaged: {error}") from error
    except (NotImplementedError, RuntimeError, ValueError, OverflowError) as error:
        raise BadArchiveError(f"can't be read: {error}") from error


def _read(archive: zipfile.ZipFile, most_bytes: int) -> dict[str, ZipFile]:
    entries = archive.infolist()
    if len(entries) > MOST_FILES:
        raise BadArchiveError(f"has {len(entries)} files, more than {MOST_FILES}")
    plain = [entry for entry in entries if not _is_folder(entry)]
    names = [entry.filename for entry in plain]
    if wrong := wrong_with_names([*names, *_folder_names(entries)]):
        raise BadArchiveError(f"can't be unpacked: {wrong}")
    if twice := [name for name, times in Counter(names).items() if times > 1]:
        raise BadArchiveError(f"can't be unpacked: {min(twice)!r} is in it twice")
    if sum(entry.file_size for entry in plain) > most_bytes:
        raise BadArchiveError(f"holds more than {most_bytes // MIB} MiB")
    return {entry.filename: _file(archive, entry) for entry in sorted(plain, key=lambda one: one.filename)}


def _folder_names(entries: list[zipfile.ZipInfo]) -> list[str]:
    # A name that a folder may not have is as bad as a file's.
    folders = {entry.filename.removesuffix("/") for entry in entries if _is_folder(entry)}
    return [name for name in folders if wrong_with_name(name)]


def _is_folder(entry: zipfile.ZipInfo) -> bool:
    return entry.filename.endswith("/")


def _file(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> ZipFile:
    # zipfile cuts a name at a zero byte, which another reader would not.
    if entry.orig_filename != entry.filename:
        raise BadArchiveError(f"can't be unpacked: the name {entry.orig_filename!r} is not a plain one")
    if entry.flag_bits & _ENCRYPTED:
        raise BadArchiveError(f"can't be read: {entry.filename!r} is encrypted")
    mode = entry.external_attr >> 16
    kind = stat.S_IFMT(mode)
    if kind not in (0, stat.S_IFREG):
        words = "a symbolic link" if kind == stat.S_IFLNK else "no plain file"
        raise BadArchiveError(f"can't be unpacked: {entry.filename!r} is {words}")
    with archive.open(entry) as source:
        data = source.read(entry.file_size + 1)
    if len(data) != entry.file_size:
        raise BadArchiveError(f"is damaged: {entry.filename!r} has another length than the archive says")
    return ZipFile(data, executable=bool(mode & 0o111))
