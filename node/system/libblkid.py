"""libblkid's low-level probing, called in process: what stands on a stretch of a disk, by its signatures.

A `blkid -p` a partition would be a hundred processes on a big machine. The library (util-linux) is on every
Linux, its ABI is stable since 2.23; constants are from its blkid.h.
"""

from __future__ import annotations

import ctypes
import functools
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

# BLKID_SUBLKS_*: what to tell of a superblock, and to accept one with a wrong checksum.
_LABEL, _UUID, _TYPE, _USAGE, _VERSION, _MAGIC, _BADCSUM = (
    1 << 1, 1 << 3, 1 << 5, 1 << 7, 1 << 8, 1 << 9, 1 << 10
)  # fmt: skip
_SUPERBLOCKS = _LABEL | _UUID | _TYPE | _USAGE | _VERSION | _MAGIC | _BADCSUM
# BLKID_PARTS_*: the backup GPT where the primary is broken; and where the magic of a table stands.
_FORCE_GPT, _PARTS_MAGIC = 1 << 1, 1 << 3
_FOUND, _NOTHING = 0, 1
# blkid_partition_get_start and _size count these, whatever the disk's sectors are.
_UNIT = 512
# More than any disk has; a guard against a library that would never say that it is done.
_MOST_SIGNATURES = 64


class ProbeError(Exception):
    """The stretch could not be read, or libblkid is not here."""


@dataclass(frozen=True)
class Signature:
    """A signature: blkid's TYPE (`ext4`, `LVM2_member`) or, for a table, PTTYPE (`gpt`, `dos`)."""

    type: str
    usage: str = ""
    label: str = ""
    uuid: str = ""
    is_table: bool = False


@dataclass(frozen=True)
class TableEntry:
    """A partition as its table has it. Bytes; `type` is a GUID under GPT, `0x83` under DOS."""

    number: int
    start: int
    size: int
    type: str = ""
    uuid: str = ""
    label: str = ""


@dataclass(frozen=True)
class Found:
    """Everything that libblkid recognizes on a stretch."""

    signatures: tuple[Signature, ...] = ()
    table: str = ""
    table_uuid: str = ""
    entries: tuple[TableEntry, ...] = ()


def probe(descriptor: int, *, offset: int = 0, size: int = 0, sector_size: int = 0) -> Found:
    """Read what stands at `offset` of an open device, `size` bytes (0: to its end); else ProbeError."""
    with _prober(descriptor, offset, size, sector_size) as (library, prober):
        signatures = tuple(_signatures(library, prober))
    if not any(signature.is_table for signature in signatures):
        return Found(signatures)
    # A fresh prober: this one has stepped past the table.
    with _prober(descriptor, offset, size, sector_size) as (library, prober):
        return _with_table(library, prober, signatures)


def wipe(descriptor: int, *, offset: int = 0, size: int = 0) -> int:
    """Overwrite every signature's magic, as `wipefs --all` does; give how many there were."""
    wiped = 0
    with _prober(descriptor, offset, size, 0) as (library, prober):
        while wiped < _MOST_SIGNATURES and library.blkid_do_probe(prober) == _FOUND:
            if library.blkid_do_wipe(prober, False) != 0:
                raise ProbeError("a signature could not be overwritten")
            wiped += 1
    return wiped


@functools.cache
def _library() -> Any:
    try:
        library = ctypes.CDLL("libblkid.so.1", use_errno=True)
    except OSError:
        raise ProbeError("libblkid is not installed (Debian's package libblkid1 has it)") from None
    pointer, text, number = ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int
    signatures: dict[str, tuple[Any, list[Any]]] = {
        "blkid_new_probe": (pointer, []),
        "blkid_free_probe": (None, [pointer]),
        "blkid_probe_set_device": (number, [pointer, number, ctypes.c_int64, ctypes.c_int64]),
        "blkid_probe_set_sectorsize": (number, [pointer, ctypes.c_uint]),
        "blkid_probe_enable_superblocks": (number, [pointer, number]),
        "blkid_probe_set_superblocks_flags": (number, [pointer, number]),
        "blkid_probe_enable_partitions": (number, [pointer, number]),
        "blkid_probe_set_partitions_flags": (number, [pointer, number]),
        "blkid_do_probe": (number, [pointer]),
        "blkid_do_wipe": (number, [pointer, number]),
        "blkid_probe_lookup_value": (
            number, [pointer, text, ctypes.POINTER(text), ctypes.POINTER(ctypes.c_size_t)]
        ),
        "blkid_probe_get_partitions": (pointer, [pointer]),
        "blkid_partlist_numof_partitions": (number, [pointer]),
        "blkid_partlist_get_partition": (pointer, [pointer, number]),
        "blkid_partition_get_partno": (number, [pointer]),
        "blkid_partition_get_start": (ctypes.c_int64, [pointer]),
        "blkid_partition_get_size": (ctypes.c_int64, [pointer]),
        "blkid_partition_get_type": (number, [pointer]),
        "blkid_partition_get_type_string": (text, [pointer]),
        "blkid_partition_get_uuid": (text, [pointer]),
        "blkid_partition_get_name": (text, [pointer]),
    }  # fmt: skip
    for name, (result, arguments) in signatures.items():
        function = getattr(library, name, None)
        if function is not None:
            function.restype, function.argtypes = result, arguments
    return library


@contextmanager
def _prober(descriptor: int, offset: int, size: int, sector_size: int) -> Iterator[tuple[Any, Any]]:
    library = _library()
    prober = library.blkid_new_probe()
    if not prober:
        raise ProbeError("libblkid has no memory")
    try:
        if library.blkid_probe_set_device(prober, descriptor, offset, size) != 0:
            raise ProbeError("libblkid can't take it")
        # Since 2.30; a file (an image in a test) has no sector size of its own to ask for.
        if sector_size and hasattr(library, "blkid_probe_set_sectorsize"):
            library.blkid_probe_set_sectorsize(prober, sector_size)
        library.blkid_probe_enable_superblocks(prober, True)
        library.blkid_probe_set_superblocks_flags(prober, _SUPERBLOCKS)
        library.blkid_probe_enable_partitions(prober, True)
        library.blkid_probe_set_partitions_flags(prober, _FORCE_GPT | _PARTS_MAGIC)
        yield library, prober
    finally:
        library.blkid_free_probe(prober)


def _signatures(library: Any, prober: Any) -> Iterator[Signature]:
    """Step through all signatures, of which there may be several, older ones too (as wipefs does)."""
    for _ in range(_MOST_SIGNATURES):
        status = library.blkid_do_probe(prober)
        if status == _NOTHING:
            return
        if status != _FOUND:
            raise ProbeError("it can't be read")
        if table := _value(library, prober, "PTTYPE"):
            yield Signature(table, uuid=_value(library, prober, "PTUUID"), is_table=True)
        elif kind := _value(library, prober, "TYPE"):
            yield Signature(
                kind,
                usage=_value(library, prober, "USAGE"),
                label=_value(library, prober, "LABEL"),
                uuid=_value(library, prober, "UUID"),
            )


def _value(library: Any, prober: Any, name: str) -> str:
    data, length = ctypes.c_char_p(), ctypes.c_size_t()
    found = library.blkid_probe_lookup_value(prober, name.encode(), ctypes.byref(data), ctypes.byref(length))
    return _text(data.value) if found == 0 else ""


def _text(value: bytes | None) -> str:
    return (value or b"").decode(errors="replace").rstrip("\0").strip()


def _with_table(library: Any, prober: Any, signatures: tuple[Signature, ...]) -> Found:
    table = next(signature for signature in signatures if signature.is_table)
    listed = library.blkid_probe_get_partitions(prober)
    entries = []
    for index in range(library.blkid_partlist_numof_partitions(listed) if listed else 0):
        entry = library.blkid_partlist_get_partition(listed, index)
        kind = _text(library.blkid_partition_get_type_string(entry))
        entries.append(
            TableEntry(
                number=library.blkid_partition_get_partno(entry),
                start=library.blkid_partition_get_start(entry) * _UNIT,
                size=library.blkid_partition_get_size(entry) * _UNIT,
                type=kind.lower() or f"0x{library.blkid_partition_get_type(entry):02x}",
                uuid=_text(library.blkid_partition_get_uuid(entry)).lower(),
                label=_text(library.blkid_partition_get_name(entry)),
            )
        )
    return Found(signatures, table.type, table.uuid.lower(), tuple(entries))
