"""Whether a tree has what plugins need. Nothing is ever fetched for them."""

from __future__ import annotations

import importlib.metadata
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name

from image import dpkg
from image.deb import debian_name
from image.dpkg import Package
from image.plugins.given import refuse
from image.plugins.plugin import FOLDER, Distribution, Plugin
from image.process import run
from node.errors import CommandFailedError, InputError, NodeError

DIST_PACKAGES = "usr/lib/python3/dist-packages"

_RELATION = re.compile(r"\s*([a-z0-9][a-z0-9+.-]*)(?::\S+)?\s*(?:\(\s*(<<|<=|=|>=|>>)\s*(\S+?)\s*\))?\s*")
_OPERATORS = {"<<": "lt", "<=": "le", "=": "eq", ">=": "ge", ">>": "gt"}


@dataclass(frozen=True)
class Inside:
    """What a tree has: its Python, its distributions (compared name to version) and its packages.

    `debian` says of a Debian package whether the image's suites have it, None where nobody knows.
    """

    python: str
    distributions: Mapping[str, str]
    packages: Mapping[str, Package] = field(default_factory=dict)
    debian: Callable[[str], bool | None] = lambda _: None


def look_inside(tree: Path, debian: Callable[[str], bool | None] = lambda _: None) -> Inside:
    """Look at a tree. Raises NodeError where it has no Python."""
    packages = dpkg.installed(tree)
    versions = [path.name.removeprefix("python") for path in (tree / "usr/lib").glob("python3.*")]
    names = [f"python{version}-minimal" for version in versions]
    known = [packages[name].version for name in names if name in packages]
    if len(known) != 1:
        raise NodeError("the image has no Python, which plugins are written in")
    found = importlib.metadata.distributions(path=[str(tree / DIST_PACKAGES), str(tree / FOLDER)])
    return Inside(
        python=re.split(r"[-~+]", known[0].rpartition(":")[2])[0],
        distributions={canonicalize_name(one.name): one.version for one in found if one.name},
        packages=packages,
        debian=debian,
    )


def check_requirements(plugins: Sequence[Plugin], inside: Inside) -> None:
    """Raise InputError that names everything which the plugins need and the tree lacks."""
    given = {one.key: one.version for plugin in plugins for one in plugin.distributions}
    errors: list[InputError] = []
    for plugin in plugins:
        for one in plugin.distributions:
            errors += _lacking(plugin, one, {**inside.distributions, **given}, inside)
        errors += _lacking_packages(plugin, inside.packages, {each.package for each in plugins})
    refuse(errors)


def _lacking(
    plugin: Plugin, one: Distribution, known: Mapping[str, str], inside: Inside
) -> Iterable[InputError]:
    who = f"{one} ({plugin.source})"
    try:
        wanted = SpecifierSet(one.requires_python)
        requirements = [Requirement(text) for text in one.requires]
    except (InvalidSpecifier, InvalidRequirement) as error:
        yield InputError(f"{who}: its metadata can't be read: {' '.join(str(error).split())}")
        return
    if not wanted.contains(inside.python, prereleases=True):
        yield InputError(f"{who} needs Python {wanted}, and the image has {inside.python}")
    environment = debian_environment(inside.python)
    for requirement in requirements:
        # An extra is asked for by whoever installs; nobody asks for one here.
        if requirement.marker is not None and not requirement.marker.evaluate(environment):
            continue
        version = known.get(canonicalize_name(requirement.name))
        if version is None:
            yield _missing(who, requirement, inside)
        elif not requirement.specifier.contains(version, prereleases=True):
            yield InputError(
                f"{who} needs {requirement.name}{requirement.specifier}, and the image has {version}"
            )


def _missing(who: str, requirement: Requirement, inside: Inside) -> InputError:
    package = debian_name(requirement.name)
    other = "give it as a pure wheel beside the plugin"
    match inside.debian(package):
        case False:
            mend = f"Debian has no {package} in the image's suites: {other}"
        case True:
            mend = f"add {package} to the kickstart's %packages"
        case _:
            mend = f"build the image with {package} in its kickstart's %packages, or {other}"
    wanted = f"{requirement.name}{requirement.specifier}"
    return InputError(f"{who} needs {wanted}, which the image lacks", mend=mend)


def debian_environment(python: str) -> dict[str, str]:
    """The markers of an image with this Python (packaging.python.org, dependency specifiers); no extra."""
    return {
        "extra": "",
        "implementation_name": "cpython",
        "implementation_version": python,
        "os_name": "posix",
        "platform_machine": "x86_64",
        "platform_python_implementation": "CPython",
        "platform_release": "",
        "platform_system": "Linux",
        "platform_version": "",
        "python_full_version": python,
        "python_version": ".".join(python.split(".")[:2]),
        "sys_platform": "linux",
    }


def _lacking_packages(
    plugin: Plugin, packages: Mapping[str, Package], given: Collection[str]
) -> Iterable[InputError]:
    """What a Debian package depends on and the tree lacks; what is given beside it counts in any version."""
    provided = {*given, *(name for one in packages.values() for name in one.provides)}
    for group in filter(str.strip, plugin.depends.split(",")):
        alternatives = [match for one in group.split("|") if (match := _RELATION.fullmatch(one))]
        if not alternatives:
            yield InputError(f"{plugin.source}: its dependency {group.strip()!r} can't be read")
        elif not any(match[1] in given or _is_met(match, packages, provided) for match in alternatives):
            yield InputError(
                f"{plugin.package} ({plugin.source}) needs {' '.join(group.split())}, which the image lacks",
                mend=f"build the image with {alternatives[0][1]} in its kickstart's %packages",
            )


def _is_met(relation: re.Match[str], packages: Mapping[str, Package], provided: set[str]) -> bool:
    name, operator, version = relation.groups()
    package = packages.get(name)
    if package is None:
        # A virtual package has no version that could be compared.
        return not operator and name in provided
    return not operator or _compares(package.version, _OPERATORS[operator], version)


def _compares(version: str, operator: str, other: str) -> bool:
    try:
        run(["dpkg", "--compare-versions", version, operator, other])
    except CommandFailedError as error:
        if error.status == 1:
            return False
        raise
    return True
