"""What an unattended run makes of installations that it finds: it never installs over one unasked."""

from __future__ import annotations

from node.installer.disk_words import describe_disk
from node.model.answers import Answers
from node.model.install import InstallAnswers, Mode
from node.model.inventory import Installation, Inventory
from node.model.layout import Layout, Role
from node.model.problem import Blame, Problem, Severity


def existing_installation(answers: Answers, inventory: Inventory) -> Installation | None:
    """Give the finished installation that an unattended run leaves alone and boots, if there is one.

    A machine that boots over the network first must not wipe itself at each boot; `install.reinstall` with
    an ID that the installation has not recorded as done lifts that, once.
    """
    install = answers[InstallAnswers]
    finished = [found for found in inventory.installations if found.complete]
    if install.mode is not Mode.UNATTENDED or len(finished) != 1:
        return None
    return finished[0] if not _asked_again(answers, finished[0]) else None


def boots_from_network(installation: Installation, inventory: Inventory) -> bool:
    """Tell whether an installation has no root of its own, on purpose: it runs from the network."""
    disk = inventory.disk(installation.disk)
    roots = (Role.ROOT_A.value, Role.ROOT_B.value)
    return not any(partition.label in roots for partition in (disk.partitions if disk else ()))


def network_installation(answers: Answers, inventory: Inventory) -> Installation | None:
    """Give the finished installation that this machine, booted over the network, is; None where it has none.

    Nobody is asked about it, whatever the mode is: the node runs already. `install.reinstall` lifts that.
    """
    finished = [found for found in inventory.installations if found.complete]
    if len(finished) != 1 or not boots_from_network(finished[0], inventory):
        return None
    return finished[0] if not _asked_again(answers, finished[0]) else None


def installation_problems(answers: Answers, inventory: Inventory) -> list[Problem]:
    """Name installations that leave an unattended run no safe choice: two, or one damaged or unreadable."""
    unattended = answers[InstallAnswers].mode is Mode.UNATTENDED
    severity = Severity.ERROR if unattended else Severity.WARNING
    finished = [found for found in inventory.installations if found.complete]
    found = []
    if len(finished) > 1:
        names = "; ".join(_describe(one, inventory) for one in finished)
        found.append(
            _problem(
                "two-installations",
                "installations",
                f"there are {len(finished)} finished installations: {names}",
                "Erase or remove the disk that is not wanted",
                severity,
            )
        )
    for one in inventory.installations:
        # What was once finished may hold data that somebody wants, whatever became of its boot area.
        if one.install_id and not one.complete and not _asked_again(answers, one):
            found.append(
                _problem(
                    "installation-damaged",
                    one.disk,
                    f"holds an installation that is not whole: {_describe(one, inventory)}",
                    "Pass node.reinstall=ID with a new ID to install over it",
                    severity,
                )
            )
    for unknown in inventory.unknown:
        if unknown.where.startswith("installations."):
            found.append(
                _problem(
                    "installation-unknown",
                    unknown.where,
                    f"can't tell whether a finished installation is there: {unknown.why}",
                    "Look at that disk; empty it by hand (wipefs) if it is not wanted",
                    severity,
                )
            )
    return found


def forgotten_installation(answers: Answers, layout: Layout) -> list[Problem]:
    """Name a layout after which an unattended run couldn't tell that it has been here.

    With consent in the answers a machine that boots over the network first would wipe itself at each boot.
    """
    if answers[InstallAnswers].mode is not Mode.UNATTENDED or layout.get(Role.CONFIG):
        return []
    return [
        Problem(
            "no-record",
            "storage.roles",
            "without CONFIG nothing records that this machine is installed, and an unattended run would"
            " install it again at every boot over the network",
            "Add CONFIG to storage.roles, or leave storage.roles out",
        )
    ]


def _asked_again(answers: Answers, found: Installation) -> bool:
    wanted = answers[InstallAnswers].reinstall
    return bool(wanted) and wanted not in found.done


def _describe(found: Installation, inventory: Inventory) -> str:
    disk = inventory.disk(found.disk)
    host = f", host name {found.hostname}" if found.hostname else ""
    return f"{describe_disk(disk) if disk else found.disk} (installation {found.install_id}{host})"


def _problem(code: str, where: str, what: str, mend: str, severity: Severity) -> Problem:
    return Problem(code, where, what, mend, severity=severity, blame=Blame.MACHINE)
