"""The kickstart's directives as answers of the layer `image`: defaults that any other input overrides."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from image.kickstart import Account, Kickstart
from image.password import deterministic_hash
from node.errors import InputError
from node.installer.answers import merge, validate
from node.installer.flow import load_plugins, read_file
from node.model.answers import Layer, SectionModel
from node.model.origin import Origin, Precedence
from node.model.problem import Severity
from node.model.system import Commands
from node.plugins.access.answers import AccessAnswers
from node.plugins.bootloader.answers import BootAnswers
from node.plugins.locale.answers import LocaleAnswers
from node.plugins.network.answers import NetworkAnswers
from node.system.commands import LiveCommands
from node.system.netplan import check_netplan

# Debian's group of those who may become root, and the name that RPM distributions give it.
_ADMIN_GROUPS = frozenset({"sudo", "wheel"})


_MODELS: Mapping[str, type[SectionModel]] = {
    model.key: model for model in (AccessAnswers, BootAnswers, LocaleAnswers, NetworkAnswers)
}


# Where an answer comes from, by the beginning of its key: the first directive that is there.
_DIRECTIVES = (
    ("access.admin", "user"),
    ("access.root", "rootpw"),
    ("boot", "bootloader"),
    ("locale.keyboard", "keyboard"),
    ("locale.lang", "lang"),
    ("locale.timezone", "timezone"),
    ("network.ntp", "timesource"),
    ("network.ntp", "timezone"),
    ("network", "network"),
)


def _origin(kickstart: Kickstart, where: str) -> str:
    """Say where in the kickstart an answer was given: `FILE:LINE: DIRECTIVE`, as far as that is known."""
    for key, directive in _DIRECTIVES:
        origin = kickstart.directive_origins.get(directive)
        if origin and f"{where}.".startswith(f"{key}."):
            return f"{origin}: {directive}"
    return f"{kickstart.path}: {where}"


def check(kickstart: Kickstart) -> None:
    """Raise InputError where a node would refuse what its image says, at each of its installations."""
    layer = Layer(Precedence.IMAGE, from_kickstart(kickstart), "the kickstart")
    _, problems = validate(merge([layer]), _MODELS)
    if problems:
        words = [f"{_origin(kickstart, one.where)}: {one.what}. {one.mend}" for one in problems]
        raise InputError("the kickstart can't be built: a node would refuse it", details="\n".join(words))


def check_network(kickstart: Kickstart, commands: Commands) -> None:
    """Raise InputError where netplan refuses the kickstart's network, as far as this machine has netplan."""
    problems = check_netplan(
        kickstart.netplan or {}, commands=commands, origin=lambda _: Origin(Precedence.IMAGE)
    )
    wrong = [one for one in problems if one.severity is Severity.ERROR]
    if wrong:
        words = [f"{_origin(kickstart, one.where)}: {one.what} ({one.where})" for one in wrong]
        raise InputError("the kickstart can't be built: a node would refuse it", details="\n".join(words))


def doubts(path: Path) -> list[str]:
    """Say what a node would object to in a file of answers, whatever the machine; InputError without a file.

    They are no errors here: the image may have plugins that this machine lacks.
    """
    layer, problems = read_file(path)
    answers, found = validate(merge([layer]), load_plugins().models())
    problems = (
        *problems,
        *found,
        *check_netplan(answers[NetworkAnswers].netplan, commands=LiveCommands(), origin=answers.origin),
    )
    return [str(one) for one in problems]


def from_kickstart(kickstart: Kickstart) -> dict[str, Any]:
    """The answers document; a section stands in it only where the kickstart said something of it."""
    sections = {
        "network": _network(kickstart),
        "access": _access(kickstart),
        "locale": _locale(kickstart),
        "boot": _boot(kickstart),
    }
    return {"version": 1, **{key: section for key, section in sections.items() if section}}


def _network(kickstart: Kickstart) -> dict[str, Any]:
    section: dict[str, Any] = {}
    if kickstart.hostname:
        section["hostname"] = kickstart.hostname
    if kickstart.netplan:
        section["netplan"] = dict(kickstart.netplan)
    if kickstart.ntp:
        section["ntp"] = list(kickstart.ntp)
    return section


def _access(kickstart: Kickstart) -> dict[str, Any]:
    section: dict[str, Any] = {}
    admin = next((one for one in kickstart.accounts if _ADMIN_GROUPS & set(one.groups)), None)
    if admin:
        section["admin"] = {"name": admin.name, **_login(kickstart, admin)}
    root = _login(kickstart, kickstart.root or Account("root"))
    if root:
        section["root"] = root
    return section


def _login(kickstart: Kickstart, account: Account) -> dict[str, Any]:
    login: dict[str, Any] = {}
    if account.password is not None:
        login["password_hash"] = (
            account.password if account.is_hash else deterministic_hash(account.name, account.password)
        )
    keys = [key for user, key in kickstart.ssh_keys if user == account.name]
    if keys:
        login["ssh_keys"] = keys
    return login


def _locale(kickstart: Kickstart) -> dict[str, Any]:
    values = {"lang": kickstart.lang, "keyboard": kickstart.keyboard, "timezone": kickstart.timezone}
    return {key: value for key, value in values.items() if value is not None}


def _boot(kickstart: Kickstart) -> dict[str, Any]:
    values = {"append": kickstart.append, "timeout": kickstart.timeout_s}
    return {key: value for key, value in values.items() if value is not None}
