"""What the section's own form can't tell."""

from __future__ import annotations

from node.model.answers import Answers
from node.model.problem import Problem, Severity
from node.plugins.logging.answers import LoggingAnswers

OWNER = "logging"


def problems(answers: Answers) -> tuple[Problem, ...]:
    """Warn of a CA or a name for TLS without a server that is spoken to by TLS."""
    logging = answers[LoggingAnswers]
    if any(target.protocol == "tls" for target in logging.targets):
        return ()
    return tuple(
        Problem(
            code="no-tls-server",
            where=f"logging.{key}",
            what="no log server is sent to by TLS, so nothing uses it",
            mend="Write the server in logging.forward as tls://HOST, or leave this out",
            origin=answers.origin(f"logging.{key}"),
            owner=OWNER,
            severity=Severity.WARNING,
        )
        for key, value in (("ca", logging.ca), ("tls_name", logging.tls_name))
        if value
    )
