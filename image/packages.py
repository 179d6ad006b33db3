"""The tree of packages: what apt makes of the package list, before anything of ours is in it."""

from __future__ import annotations

import shlex
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from image import mirror
from image.cache import Cache, key_of, locked
from image.kickstart import Kickstart
from image.ks_reader import refuse
from image.mirror import Archive, Mirror
from image.origin import Complaint, Origin
from image.process import run
from node.errors import CommandFailedError, InputError, NodeError, TryAgainError

# To be raised when the same inputs shall give another tree.
_FORMAT = 1

# In the tree while the image is made, and gone from it afterwards unless the kickstart names them.
# The initrd's own list stands beside its module.
BUILD_PACKAGES = (
    "ca-certificates",
    "cpio",
    "curl",
    "dracut",
    "dracut-core",
    "dracut-network",
    "kmod",
    # The accounts of the kickstart, root's lock among them, are made by its programs.
    "passwd",
    "zstd",
)

# A language other than C.UTF-8 is compiled from this package's sources.
LOCALE_PACKAGE = "locales"

_DOCS = ("doc", "doc-base", "info", "man", "gtk-doc", "help", "lintian", "linda")


@dataclass(frozen=True)
class PackageList:
    """What is installed: `wanted` stays in the image, `build` only makes it."""

    wanted: tuple[str, ...]
    build: tuple[str, ...]
    excluded: tuple[str, ...]
    options: tuple[str, ...]

    @property
    def all(self) -> tuple[str, ...]:
        """Every name to give to apt, once."""
        return tuple(sorted({*self.wanted, *self.build}))


def package_list(kickstart: Kickstart, own_depends: Sequence[str], build: Sequence[str]) -> PackageList:
    """The packages of an image: the kickstart's, what our own package needs, what the build needs.

    Raises InputError where the kickstart removes what our own package needs.
    """
    refuse(
        [
            Complaint(_origin(kickstart, name), f"-{name}: the node itself needs this package")
            for name in kickstart.excluded
            if name in own_depends
        ]
    )
    wanted = {*kickstart.packages, *own_depends}
    languages = (kickstart.lang or "C", *kickstart.more_languages)
    if not all(is_builtin_locale(one) for one in languages):
        wanted.add(LOCALE_PACKAGE)
    making = {*BUILD_PACKAGES, *build} - wanted
    return PackageList(
        wanted=tuple(sorted(wanted)),
        build=tuple(sorted(making)),
        # What makes the image is there meanwhile, and gone in the end like the rest of its kind.
        excluded=tuple(sorted(set(kickstart.excluded) - wanted - making)),
        options=tuple(dpkg_options(kickstart)),
    )


def _origin(kickstart: Kickstart, name: str) -> Origin:
    return kickstart.package_origins.get(name, Origin(kickstart.path, 0))


def check_excluded(kickstart: Kickstart, installed: Collection[str]) -> None:
    """Raise InputError where a package that the kickstart removes is in the finished image after all."""
    refuse(
        [
            Complaint(_origin(kickstart, name), f"-{name}: the image needs this package")
            for name in kickstart.excluded
            if name in installed
        ]
    )


def is_builtin_locale(lang: str) -> bool:
    """Whether glibc has the language without any file."""
    return lang.upper().replace("-", "") in ("C", "POSIX", "C.UTF8")


def dpkg_options(kickstart: Kickstart) -> list[str]:
    """Path filters of dpkg for `--excludedocs` and `--inst-langs`; licences stay in any case."""
    options = []
    if kickstart.exclude_docs:
        options += [f"path-exclude=/usr/share/{name}/*" for name in _DOCS]
        options.append("path-include=/usr/share/doc/*/copyright")
    if kickstart.languages is not None:
        options.append("path-exclude=/usr/share/locale/*")
        options.append("path-include=/usr/share/locale/locale.alias")
        for language in kickstart.languages:
            options.append(f"path-include=/usr/share/locale/{language}/*")
            options.append(f"path-include=/usr/share/locale/{language}_*/*")
    return options


def check_names(kickstart: Kickstart, packages: PackageList, archive: Archive) -> None:
    """Raise InputError that names every package which the suites don't have, with its line; or no kernel."""
    simulated = mirror.simulate(archive, packages.all, packages.excluded)
    unknown = simulated.unknown
    if not unknown:
        _check_kernel(kickstart, simulated.installed)
        return
    suites = ", ".join(suite.name for suite in kickstart.suites)
    complaints = sorted(
        Complaint(_origin(kickstart, name), f"{name}: no such package in {suites}") for name in unknown
    )
    raise InputError(
        f"{len(unknown)} unknown package{'s' if len(unknown) > 1 else ''}: {', '.join(unknown)}",
        details="\n".join(str(one) for one in complaints),
    )


def _check_kernel(kickstart: Kickstart, installed: Collection[str]) -> None:
    """Raise InputError where no package can be a kernel, before a tree is made that nothing can start."""
    # A vendor's may have any name with the word in it, and a script may bring one that apt doesn't know.
    scripted = any(not script.is_minimizer for script in kickstart.scripts)
    if scripted or any("linux-image" in name or "kernel" in name for name in installed):
        return
    raise InputError(
        f"{kickstart.path}: the image needs one kernel, and its packages bring none",
        mend="name linux-image-amd64 in %packages",
    )


def tree_key(packages: PackageList, kickstart: Kickstart, archive: Archive) -> str:
    """Name of the tree in the cache; everything that decides its bytes is in it."""
    return key_of(
        [
            _FORMAT,
            packages.all,
            packages.excluded,
            packages.options,
            [[suite.name, suite.components] for suite in kickstart.suites],
            archive.state,
        ]
    )


@dataclass(frozen=True)
class TreeRequest:
    """A tree to make: what is in it, and where it comes from."""

    packages: PackageList
    kickstart: Kickstart
    archive: Archive
    source: Mirror

    @property
    def key(self) -> str:
        """Name of the tree in the cache."""
        return tree_key(self.packages, self.kickstart, self.archive)


def make_tree(cache: Cache, work: Path, request: TreeRequest) -> Path:
    """The tree as a tar archive in the cache, made now unless it is there. Raises NodeError."""
    key = request.key
    with cache.lock("packages", key):
        entry = cache.find("packages", key)
        if entry is None:
            with cache.making("packages", key) as folder:
                _bootstrap(cache, work, folder / "tree.tar", request)
            entry = cache.find("packages", key)
        assert entry is not None
        return entry / "tree.tar"


def _bootstrap(cache: Cache, work: Path, target: Path, request: TreeRequest) -> None:
    packages, source = request.packages, request.source
    preferences = work / "preferences"
    preferences.write_text(mirror.preferences(packages.excluded), encoding="utf-8")
    fetched = cache.root / "debs"
    fetched.mkdir(parents=True, exist_ok=True)
    quoted = shlex.quote(str(fetched))
    archives = "/var/cache/apt/archives"
    argv: list[str | Path] = [
        "mmdebstrap",
        "--mode=unshare",
        "--variant=essential",
        "--format=tar",
        f"--architectures={mirror.ARCHITECTURE}",
        f"--include={','.join(packages.all)}",
        # Packages fetched once are used again when the list changes.
        "--skip=download/empty,essential/unlink,cleanup/apt/cache",
        f'--setup-hook=mkdir -p "$1"{archives} "$1"/etc/apt/preferences.d',
        f"--setup-hook=sync-in {quoted} {archives}",
        f"--setup-hook=upload {shlex.quote(str(preferences))} /etc/apt/preferences.d/nodecrust",
        f"--customize-hook=sync-out {archives} {quoted}",
        # Nothing of the build machine stays: mirror, proxy, name, resolver.
        f'--customize-hook=rm -rf "$1"{archives}/* "$1"/etc/apt/sources.list "$1"/etc/apt/sources.list.d/* '
        '"$1"/etc/apt/preferences.d/nodecrust "$1"/etc/apt/apt.conf.d/99mmdebstrap '
        '"$1"/etc/apt/auth.conf* "$1"/etc/hostname "$1"/etc/resolv.conf "$1"/var/lib/apt/lists/*',
        *(f"--dpkgopt={option}" for option in packages.options),
        *(f"--aptopt={line}" for line in mirror.reach_options()),
        '--aptopt=APT::Install-Recommends "false"',
        request.kickstart.suites[0].name,
        target,
        *source.source_lines(request.kickstart.suites),
    ]
    log = work / "packages.log"
    # One at a time: mmdebstrap copies the folder of fetched packages in and out.
    with locked(cache.root / "locks" / "debs"):
        try:
            # INITRD: the kernel's package shall not make one, ours comes later.
            env = {"SOURCE_DATE_EPOCH": str(request.archive.date), "TMPDIR": str(work), "INITRD": "No"}
            run(argv, env=env, log=log)
        except CommandFailedError as error:
            words = source.hidden(error.details)
            if "Failed to fetch" in words or "Could not connect" in words:
                brief = "the mirror broke off while packages were fetched"
                raise TryAgainError(brief, details=words) from error
            raise NodeError("the packages can't be installed", details=words) from error
