"""What is doubtful about the kernel's settings; only the running kernel knows for sure."""

from __future__ import annotations

from node.model.answers import Answers
from node.model.near import nearest
from node.model.problem import Problem, Severity
from node.plugins.kernel.answers import KernelAnswers
from node.plugins.kernel.known import KNOWN, ROOTS
from node.plugins.kernel.sysctl import flat

OWNER = "kernel"
# Near enough for one wrong letter, and for nothing else: real settings are like each other.
_ONE_LETTER = 0.93


def problems(answers: Answers) -> tuple[Problem, ...]:
    """Warn of sysctl keys that are most likely misspelt; a vendor's module may bring one all the same."""
    found = []
    for key in flat(answers[KernelAnswers].sysctl):
        root = key.replace("/", ".").partition(".")[0]
        if root not in ROOTS:
            what = f"Debian's kernel has no settings below '{root}'"
            near = nearest(root, ROOTS, cutoff=0.5)
            mend = f"Did you mean '{near}'?" if near else f"Keys begin with {', '.join(ROOTS)}"
        elif key not in KNOWN and (near := nearest(key, KNOWN, cutoff=_ONE_LETTER)):
            what = f"'{key}' is most likely misspelt"
            mend = f"Did you mean {near}?"
        else:
            continue
        where = f"kernel.sysctl.{key}"
        found.append(
            Problem(
                code="sysctl-unknown",
                where=where,
                what=what,
                mend=mend,
                origin=answers.origin(where),
                owner=OWNER,
                severity=Severity.WARNING,
            )
        )
    return tuple(found)
