"""What the fields of the section mean only together."""

from __future__ import annotations

from node.model.answers import Answers
from node.model.keeping import keeps_nothing
from node.model.origin import Precedence
from node.model.problem import Problem, Severity
from node.model.registration import KERNEL_TOKEN
from node.plugins.registration.answers import RegistrationAnswers

OWNER = "registration"


def problems(answers: Answers) -> tuple[Problem, ...]:
    """Refuse a token that all may read, a server that nothing tells from another or that is forgotten.

    Warn of what is unused.
    """
    section = answers[RegistrationAnswers]
    token = answers.origin("registration.token")
    if token.precedence is Precedence.KERNEL and not section.token.startswith(KERNEL_TOKEN):
        return (
            Problem(
                code="token-not-for-kernel",
                where="registration.token",
                what="stands on the kernel command line, which every program of this machine reads, and was "
                "not made for that",
                mend="Make one by node-server token create --kernel-argument --bind-mac MAC, or give it in "
                "the answers file",
                origin=token,
                owner=OWNER,
            ),
        )
    if section.server and keeps_nothing(answers):
        return (
            Problem(
                code="registration-not-kept",
                where="registration.server",
                what="is of no use without CONFIG: the node would have another key after each restart, and "
                "somebody would have to agree to it anew",
                mend="Add CONFIG to storage.roles, or leave registration out",
                origin=answers.origin("registration.server"),
                owner=OWNER,
            ),
        )
    if section.server and not section.fingerprint:
        return (
            Problem(
                code="no-fingerprint",
                where="registration.fingerprint",
                what="is not given, so anyone could say that he is the server",
                mend="Give the SHA-256 fingerprint of the server's CA, which `node-server` shows",
                origin=answers.origin("registration.server"),
                owner=OWNER,
            ),
        )
    if section.server:
        return ()
    return tuple(
        Problem(
            code="no-server",
            where=f"registration.{key}",
            what="is given without registration.server, so nothing uses it",
            mend="Give registration.server=https://HOST, or leave this out",
            origin=answers.origin(f"registration.{key}"),
            owner=OWNER,
            severity=Severity.WARNING,
        )
        for key in ("fingerprint", "token", "pool")
        if getattr(section, key)
    )
