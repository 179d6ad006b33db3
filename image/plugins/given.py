"""What was given on the command line, read and checked together before anything is made."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from image.plugins.debian import read_deb
from image.plugins.plugin import Plugin
from image.plugins.wheel import read_wheel
from node.errors import InputError
from node.hookspecs import API_VERSION, PROJECT

_READERS: Mapping[str, Callable[[Path], Plugin]] = {".whl": read_wheel, ".deb": read_deb}


def read_plugins(paths: Iterable[Path]) -> tuple[Plugin, ...]:
    """The plugins of some files, by their distributions' names. Raises InputError that tells of all."""
    plugins: list[Plugin] = []
    errors: list[InputError] = []
    for path in paths:
        try:
            plugins.append(_read(path))
        except InputError as error:
            errors.append(error)
    refuse(errors)
    plugins.sort(key=lambda one: ([each.key for each in one.distributions], one.source))
    refuse([*_twice(plugins), *_no_plugins(plugins), *_of_other_versions(plugins)])
    return tuple(plugins)


def notices(plugins: Iterable[Plugin]) -> list[str]:
    """What a user may expect of plugins and doesn't get."""
    return [
        f"{plugin.source}: its programs ({', '.join(one.scripts)}) are not put on the path"
        for plugin in plugins
        for one in plugin.distributions
        if one.scripts
    ]


def refuse(errors: Sequence[InputError]) -> None:
    """Raise one InputError that says all of them, if there are any."""
    if len(errors) == 1:
        raise errors[0]
    if errors:
        lines = []
        for error in errors:
            lines += [error.brief, *(f"  {line}" for line in error.details.splitlines())]
            lines += [f"  -> {error.mend}"] if error.mend else []
        raise InputError(f"{len(errors)} things are wrong with the plugins", details="\n".join(lines))


def _read(path: Path) -> Plugin:
    if not path.is_file():
        raise InputError(f"there is no file {path}")
    reader = _READERS.get(path.suffix)
    if reader is None:
        raise InputError(f"{path.name} is neither a wheel (.whl) nor a Debian package (.deb)")
    return reader(path)


def _twice(plugins: Sequence[Plugin]) -> list[InputError]:
    """Two files that bring the same distribution, entry point or file."""
    errors = []
    for what, names in (
        ("distribution", [one.key for plugin in plugins for one in plugin.distributions]),
        (
            "entry point",
            [point for plugin in plugins for one in plugin.distributions for point in one.points],
        ),
        ("file", [path for plugin in plugins for path in plugin.files]),
    ):
        if twice := sorted(name for name, times in Counter(names).items() if times > 1):
            errors.append(InputError(f"two of the plugins bring the {what} {twice[0]}"))
            break
    return errors


def _no_plugins(plugins: Sequence[Plugin]) -> list[InputError]:
    """Files that are neither a plugin nor needed by one."""
    needed = {
        name
        for plugin in plugins
        for one in plugin.distributions
        for requirement in one.requires
        if (name := requirement_name(requirement))
    }
    return [
        InputError(
            f"{plugin.source} is no plugin: it has no entry point in the group {PROJECT}",
            mend=f'add [project.entry-points.{PROJECT}] with a line NAME = "MODULE" to its pyproject.toml',
        )
        for plugin in plugins
        if not any(one.points or one.key in needed for one in plugin.distributions)
    ]


def _of_other_versions(plugins: Sequence[Plugin]) -> list[InputError]:
    """Distributions that are made for other versions of the plugin interface than ours."""
    return [
        InputError(
            f"{one} ({plugin.source}) is made for version {words} of the plugin interface; "
            f"this is {API_VERSION}"
        )
        for plugin in plugins
        for one in plugin.distributions
        if one.points and not one.api[0] <= API_VERSION <= one.api[1]
        for words in ["-".join(map(str, dict.fromkeys(one.api)))]
    ]


def requirement_name(requirement: str) -> str:
    """The distribution that a requirement names, as Python compares names; "" where it is none."""
    try:
        return canonicalize_name(Requirement(requirement).name)
    except InvalidRequirement:
        return ""
