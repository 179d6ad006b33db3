"""What the fields of the section mean only together."""

from __future__ import annotations

from collections.abc import Iterator

from node.model.answers import Answers
from node.model.keeping import keeps_nothing
from node.model.problem import Problem, Severity
from node.plugins.cobbler.answers import CobblerAnswers

OWNER = "cobbler"


def problems(answers: Answers) -> tuple[Problem, ...]:
    """Refuse a server that can't be told from another, and a registration that lacks something."""
    section = answers[CobblerAnswers]
    return tuple(_of(section, answers)) if section.server else ()


def _of(section: CobblerAnswers, answers: Answers) -> Iterator[Problem]:
    def problem(code: str, key: str, what: str, mend: str, severity: Severity = Severity.ERROR) -> Problem:
        origin = answers.origin(f"cobbler.{key}")
        return Problem(code, f"cobbler.{key}", what, mend, origin, OWNER, severity)

    if keeps_nothing(answers):
        yield problem(
            "registration-not-kept",
            "server",
            "is of no use without CONFIG: the node doesn't know after its restart whom to tell that it is "
            "installed, and cobbler would have it installed again",
            "Add CONFIG to storage.roles, or leave cobbler out",
        )
    plain = section.server.startswith("http:")
    if plain and not section.trust:
        yield problem(
            "plain-http",
            "server",
            "is plain http, which anyone on the network can answer",
            "Write https:// with cobbler.fingerprint, or cobbler.trust=network to do so on purpose",
        )
    if not plain and not section.fingerprint:
        yield problem(
            "no-fingerprint",
            "fingerprint",
            "is not given, so anyone could say that he is the server",
            "Give the SHA-256 fingerprint of the server's CA",
        )
    if section.register_system:
        for key in ("profile", "user", "password"):
            # A password that was used is gone, and nothing is amiss.
            if not getattr(section, key) and not (key == "password" and section.user):
                yield problem(
                    "registration-incomplete",
                    key,
                    "is needed to make a system in cobbler",
                    f"Give cobbler.{key}, or take cobbler.register_system out",
                )
    if plain and section.password:
        yield problem(
            "password-on-the-wire",
            "password",
            "goes over the network as it is, where anyone can read it",
            "Write https:// with cobbler.fingerprint",
            Severity.WARNING,
        )
