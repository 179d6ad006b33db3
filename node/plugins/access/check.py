"""What would leave a node that nobody can log in to."""

from __future__ import annotations

from node.model.answers import Answers
from node.model.install import InstallAnswers, Mode
from node.model.origin import Origin
from node.model.problem import Problem, Severity
from node.plugins.access.answers import AccessAnswers

OWNER = "access"


def problems(answers: Answers) -> tuple[Problem, ...]:
    """Give the problems of access.

    Without any way to log in an unattended install is refused, unless `access.no_login` says that this is
    meant; an interactive one is warned, since its screen asks.
    """
    access = answers[AccessAnswers]
    found = []
    if not (access.admin.is_open or access.root.is_open or access.no_login):
        unattended = answers[InstallAnswers].mode is Mode.UNATTENDED
        locked = access.admin.is_set or access.root.is_set
        found.append(
            Problem(
                code="no-way-to-log-in",
                where="access",
                what="nobody could log in to this node: "
                + ("its accounts are locked" if locked else "there is neither a key nor a password"),
                mend=("Take `locked` out" if locked else "Give access.admin.ssh_keys")
                + ", or access.no_login: true if it is meant",
                origin=answers.origin("access"),
                owner=OWNER,
                severity=Severity.ERROR if unattended else Severity.WARNING,
            )
        )
    if access.ssh_password_login and not access.admin.password_hash:
        where = "access.ssh_password_login"
        found.append(
            Problem(
                code="no-password-for-ssh",
                where=where,
                what="the admin user has no password to log in with over SSH",
                mend="Give access.admin.password_hash, or leave this out",
                origin=answers.origin(where),
                owner=OWNER,
                severity=Severity.WARNING,
            )
        )
    return tuple(found)


def already_over(access: AccessAnswers, *, today: str, origin: Origin) -> tuple[Problem, ...]:
    """Give the problem of an expiry that closes the admin's account at once; `today` as 2027-06-30.

    It is an error where nobody else could log in. What judges answers knows no clock, so who changes a
    running node asks for this.
    """
    if not access.admin.expires or access.admin.expires > today:
        return ()
    alone = access.admin.is_open and not (access.root.is_open or access.no_login)
    return (
        Problem(
            code="already-expired",
            where="access.admin.expires",
            what=f"{access.admin.expires} has come already, and closes the account at once"
            + ("; nobody could log in then" if alone else ""),
            mend="Write a day to come, or leave it out",
            origin=origin,
            owner=OWNER,
            severity=Severity.ERROR if alone else Severity.WARNING,
        ),
    )
