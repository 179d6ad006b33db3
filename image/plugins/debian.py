"""Reads a Debian package of a plugin: only files where a plugin may have them, and no scripts that act."""

from __future__ import annotations

import hashlib
import re
import tarfile
import tempfile
from collections.abc import Mapping
from pathlib import Path

from image.plugins.plugin import FOLDER, Distribution, Plugin, PluginFile, read_distribution
from image.process import run
from node.errors import CommandFailedError, InputError
from node.model.file_names import wrong_with_names
from node.model.size import MIB

_PYTHON = "usr/lib/python3/dist-packages"

# Where a plugin's package may have files besides its modules; {name} is its own.
_OWN_FOLDERS = (
    "opt/{name}/",
    "usr/lib/{name}/",
    "usr/libexec/{name}/",
    "usr/share/{name}/",
    "usr/share/doc/{name}/",
)
# Of no use in an image, and in most packages.
_DROPPED_PREFIXES = ("usr/share/lintian/", "usr/share/man/", "usr/share/doc-base/")

_INTO_PACKAGES = "a package that does more than bring files belongs into the kickstart's %packages"

_MOST_BYTES = 256 * MIB
_MOST_FILES = 20_000

_NAME = re.compile(r"[a-z0-9][a-z0-9+.-]+")  # deb-control(5)
_FIELD = re.compile(r"^(Package|Version|Depends|Pre-Depends|Architecture): *(.*(?:\n[ \t].*)*)", re.MULTILINE)
_SCRIPTS = ("preinst", "postinst", "prerm", "postrm", "config", "triggers")
# What dh_python3 writes compiles the modules and removes what it compiled; node-image compiles them itself.
_OF_DH_PYTHON = re.compile(
    r"^# Automatically added by dh_python3.*?^# End automatically added section$", re.MULTILINE | re.DOTALL
)
_IDLE_LINE = re.compile(r"\s*(#.*|set -e|exit 0)?\s*")


def read_deb(path: Path) -> Plugin:
    """The plugin that a Debian package holds. Raises InputError that names the file and what is wrong."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or error}") from error
    with tempfile.TemporaryDirectory(prefix="nodecrust-deb-") as name:
        # dpkg-deb takes a path for a name; a copy is what was hashed, whatever happens to the file.
        copy = Path(name) / "plugin.deb"
        copy.write_bytes(data)
        control = _control(path.name, copy, Path(name) / "control")
        files = _members(path.name, copy, Path(name) / "tree.tar")
    fields = {field: " ".join(value.split()) for field, value in _FIELD.findall(control["control"])}
    package = fields.get("Package", "")
    if not _NAME.fullmatch(package):
        raise InputError(f"{path.name}: its control file names no package")
    if fields.get("Architecture") not in ("all", "amd64"):
        raise InputError(f"{path.name} is for {fields.get('Architecture')}, and images are for amd64")
    _check_scripts(path.name, control)
    placed = place_files(path.name, package, files)
    return Plugin(
        source=path.name,
        sha256=hashlib.sha256(data).hexdigest(),
        distributions=_distributions(path.name, placed),
        files=placed,
        package=package,
        depends=", ".join(filter(None, (fields.get("Pre-Depends"), fields.get("Depends")))),
    )


def _control(file: str, copy: Path, folder: Path) -> dict[str, str]:
    try:
        run(["dpkg-deb", "--control", copy, folder])
        return {
            one.name: one.read_text(encoding="utf-8") for one in sorted(folder.iterdir()) if one.is_file()
        }
    except (CommandFailedError, UnicodeDecodeError) as error:
        details = error.details if isinstance(error, CommandFailedError) else str(error)
        raise InputError(f"{file} is no Debian package that can be read", details=details) from error


def _members(file: str, copy: Path, tar: Path) -> dict[str, PluginFile]:
    script = 'exec dpkg-deb --fsys-tarfile "$1" >"$2"'
    try:
        # A small archive may unpack to any length.
        run(["prlimit", f"--fsize={2 * _MOST_BYTES}", "sh", "-c", script, "sh", copy, tar])
        with tarfile.open(tar) as archive:
            return _read(file, archive)
    except (CommandFailedError, tarfile.TarError, EOFError, ValueError) as error:
        details = error.details if isinstance(error, CommandFailedError) else str(error)
        raise InputError(f"{file} is damaged, or too big", details=details) from error


def _read(file: str, archive: tarfile.TarFile) -> dict[str, PluginFile]:
    files: dict[str, PluginFile] = {}
    total = 0
    for member in archive:
        name = member.name.removeprefix("./")
        if member.isdir():
            continue
        if not member.isreg():
            raise InputError(
                f"{file}: {member.name} is no plain file", mend="a plugin brings neither links nor devices"
            )
        if member.mode & 0o6000:
            raise InputError(f"{file}: {member.name} would run with another's rights")
        total += member.size
        if total > _MOST_BYTES or len(files) >= _MOST_FILES:
            raise InputError(f"{file} holds more than {_MOST_BYTES // MIB} MiB or {_MOST_FILES} files")
        source = archive.extractfile(member)
        assert source is not None
        files[name] = PluginFile(source.read(), executable=bool(member.mode & 0o111))
    if wrong := wrong_with_names(files):
        raise InputError(f"{file} can't be unpacked: {wrong}")
    return files


def _check_scripts(file: str, control: Mapping[str, str]) -> None:
    for name in _SCRIPTS:
        left = _OF_DH_PYTHON.sub("", control.get(name, ""))
        acting = [line for line in left.splitlines() if not _IDLE_LINE.fullmatch(line)]
        if acting:
            raise InputError(
                f"{file} has a script {name} that does more than compile its modules",
                details=acting[0].strip(),
                mend=_INTO_PACKAGES,
            )


def own_folders(package: str) -> tuple[str, ...]:
    """The folders that a package of this name has for itself, each with a slash at its end."""
    return tuple(folder.format(name=package) for folder in _OWN_FOLDERS)


def place_files(file: str, package: str, files: Mapping[str, PluginFile]) -> dict[str, PluginFile]:
    """Where each file goes. Raises InputError that names every path which no plugin may have.

    A path is judged by the folders that it begins with, never by a part of it that merely occurs in it.
    """
    own = (f"{_PYTHON}/", f"{FOLDER}/", *own_folders(package))
    foreign = sorted(n for n in files if not n.startswith((*own, *_DROPPED_PREFIXES)))
    if foreign:
        raise InputError(
            f"{file}: a plugin may not have /{foreign[0]}",
            details="\n".join(
                [*(f"/{name}" for name in foreign[:20]), "allowed: " + " ".join(f"/{one}" for one in own)]
            ),
            mend=_INTO_PACKAGES,
        )
    placed: dict[str, PluginFile] = {}
    for name, content in files.items():
        if name.startswith(_DROPPED_PREFIXES):
            continue
        inside = name.removeprefix(f"{_PYTHON}/") if name.startswith(f"{_PYTHON}/") else None
        if inside is not None and inside.endswith(".pth") and "/" not in inside:
            raise InputError(f"{file} brings {inside}, which would run in every Python program")
        target = name if inside is None else f"{FOLDER}/{inside}"
        if target in placed:
            raise InputError(f"{file} has {target} twice")
        placed[target] = content
    return placed


def _distributions(file: str, files: Mapping[str, PluginFile]) -> tuple[Distribution, ...]:
    found = []
    for path, content in sorted(files.items()):
        folder, _, name = path.rpartition("/")
        above, _, info = folder.rpartition("/")
        known = (info.endswith(".dist-info") and name == "METADATA") or (
            info.endswith(".egg-info") and name == "PKG-INFO"
        )
        if above == FOLDER and known:
            points = files.get(f"{folder}/entry_points.txt")
            found.append(read_distribution(file, content.data, points.data if points else None))
    return tuple(found)
