"""Reads a wheel and refuses what isn't Python alone (packaging.python.org, binary distribution format)."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
from collections.abc import Collection, Mapping
from email.parser import BytesParser
from pathlib import Path

from packaging.tags import Tag, parse_tag
from packaging.utils import InvalidWheelFilename, canonicalize_name, parse_wheel_filename
from packaging.version import InvalidVersion, Version

from image.plugins.plugin import FOLDER, Distribution, Plugin, PluginFile, read_distribution
from node.errors import InputError
from node.system.zip_files import BadArchiveError, ZipFile, read_zip

# Code for a processor, by name and by its first bytes (ELF, PE, Mach-O).
_NATIVE_SUFFIXES = (".so", ".pyd", ".dll", ".dylib", ".a", ".o")
_NATIVE_STARTS = (b"\x7fELF", b"MZ\x90", b"\xcf\xfa\xed\xfe", b"\xca\xfe\xba\xbe")

# As strong as the format asks for; RECORD may name weaker ones.
_DIGESTS = ("sha256", "sha384", "sha512")

# RECORD can't hold its own digest, nor its signatures'.
_NOT_RECORDED = ("RECORD", "RECORD.jws", "RECORD.p7s")

_NOT_PURE = "build it as a pure wheel, or as a Debian package"


def read_wheel(path: Path) -> Plugin:
    """The plugin that a wheel holds. Raises InputError that names the file and what is wrong with it."""
    try:
        data = path.read_bytes()
        files = read_zip(io.BytesIO(data))
    except BadArchiveError as error:
        raise InputError(f"{path.name} {error}") from error
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or error}") from error
    name, version = _name_and_version(path.name)
    info = _info_folder(path.name, files, name, version)
    _check_kind(path.name, files[f"{info}/WHEEL"].data)
    _check_record(path.name, files, info)
    _check_pure(path.name, files)
    points = files.get(f"{info}/entry_points.txt")
    found = read_distribution(path.name, files[f"{info}/METADATA"].data, points.data if points else None)
    _check_identity(path.name, found, name, version)
    kept = {
        f"{FOLDER}/{inside}": PluginFile(file.data, executable=file.executable)
        for inside, file in files.items()
    }
    return Plugin(path.name, hashlib.sha256(data).hexdigest(), (found,), kept)


def _name_and_version(file: str) -> tuple[str, Version]:
    try:
        name, version, _, tags = parse_wheel_filename(file)
    except InvalidWheelFilename as error:
        raise InputError(
            f"{file}: {error}", mend="leave the wheel the name that it was built with"
        ) from error
    _check_tags(file, tags)
    return name, version


def _check_tags(file: str, tags: Collection[Tag]) -> None:
    """Every tag of Python 3 must be without code for a processor; Python 2 is nobody's matter."""
    ours = [tag for tag in tags if tag.interpreter != "py2"]
    impure = [
        tag
        for tag in ours
        if tag.abi != "none" or tag.platform != "any" or not tag.interpreter.startswith(("py3", "cp3"))
    ]
    if impure or not ours:
        words = f"its tag is {min(map(str, impure))}" if impure else "it is for Python 2"
        raise InputError(f"{file} is no pure wheel: {words}", mend=_NOT_PURE)


def _info_folder(file: str, files: Mapping[str, ZipFile], name: str, version: Version) -> str:
    tops = {inside.split("/")[0] for inside in files if "/" in inside}
    infos = sorted(top for top in tops if top.endswith(".dist-info"))
    if len(infos) != 1:
        raise InputError(f"{file} has {len(infos) or 'no'} folders .dist-info, and a wheel has one")
    told = infos[0].removesuffix(".dist-info").rpartition("-")
    try:
        fits = canonicalize_name(told[0]) == name and Version(told[2]) == version
    except InvalidVersion:
        fits = False
    if not fits:
        raise InputError(f"{file} holds {infos[0]}, which is another distribution or version")
    for needed in ("METADATA", "WHEEL", "RECORD"):
        if f"{infos[0]}/{needed}" not in files:
            raise InputError(f"{file} has no {needed}: it is no wheel, or not all of it")
    data = sorted(top for top in tops if top.endswith(".data"))
    if data:
        raise InputError(
            f"{file} brings {data[0]}, files for other places than Python's own",
            mend="keep data inside the package, and give programs as console scripts or a Debian package",
        )
    return infos[0]


def _check_kind(file: str, content: bytes) -> None:
    told = BytesParser().parsebytes(content)
    format_version = str(told.get("Wheel-Version", ""))
    if format_version.partition(".")[0] != "1":
        raise InputError(f"{file} is of wheel format {format_version or 'unknown'}, and only 1.x is known")
    if str(told.get("Root-Is-Purelib", "")).lower() != "true":
        raise InputError(f"{file} is no pure wheel: Root-Is-Purelib is not true", mend=_NOT_PURE)
    given = [str(one) for one in told.get_all("Tag", []) if str(one).count("-") == 2]
    _check_tags(file, [tag for one in given for tag in parse_tag(one)])


def _check_record(file: str, files: Mapping[str, ZipFile], info: str) -> None:
    try:
        rows = list(csv.reader(io.StringIO(files[f"{info}/RECORD"].data.decode())))
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{file}: its RECORD can't be read: {error}") from error
    recorded = {row[0]: row[1] for row in rows if len(row) == 3}
    exempt = {f"{info}/{name}" for name in _NOT_RECORDED}
    if missing := sorted(set(files) - set(recorded) - exempt):
        raise InputError(f"{file} is not as it was built: {missing[0]} is not in its RECORD")
    if lost := sorted(set(recorded) - set(files)):
        raise InputError(f"{file} is not as it was built: {lost[0]}, which its RECORD names, is missing")
    for inside in sorted(set(files) - exempt):
        kind, _, told = recorded[inside].partition("=")
        if kind not in _DIGESTS:
            raise InputError(f"{file}: its RECORD has no SHA-256 of {inside}")
        digest = hashlib.new(kind, files[inside].data).digest()
        if base64.urlsafe_b64encode(digest).rstrip(b"=").decode() != told.rstrip("="):
            raise InputError(
                f"{file} is not as it was built: {inside} has another {kind} than its RECORD says"
            )


def _check_pure(file: str, files: Mapping[str, ZipFile]) -> None:
    for inside, content in files.items():
        native = inside.lower().endswith(_NATIVE_SUFFIXES) or ".so." in inside.rpartition("/")[2]
        if native or content.data.startswith(_NATIVE_STARTS):
            raise InputError(f"{file} is no pure wheel: {inside} is code for a processor", mend=_NOT_PURE)
        if inside.endswith(".pth") and "/" not in inside:
            raise InputError(f"{file} brings {inside}, which would run in every Python program")


def _check_identity(file: str, found: Distribution, name: str, version: Version) -> None:
    try:
        fits = found.key == name and Version(found.version) == version
    except InvalidVersion:
        fits = False
    if not fits:
        raise InputError(f"{file} says that it is {found}: its name is another one")
