"""What is doubtful about the kernel's settings; only the running kernel knows for sure."""

from __future__ import annotations

from node.model.answers import Answers
from node.model.near import nearest
from node.model.problem import Problem, Severity
from node.plugins.kernel.answers import KernelAnswers

OWNER = "kernel"
# The folders of /proc/sys in Debian's kernel and its modules (Documentation/admin-guide/sysctl).
_ROOTS = ("abi", "crypto", "debug", "dev", "fs", "kernel", "net", "sunrpc", "user", "vm")


def problems(answers: Answers) -> tuple[Problem, ...]:
    """Warn of a sysctl key whose first word no kernel has; a vendor's module may bring one all the same."""
    found = []
    for root in answers[KernelAnswers].sysctl:
        if root in _ROOTS:
            continue
        near = nearest(root, _ROOTS, cutoff=0.5)
        where = f"kernel.sysctl.{root}"
        found.append(
            Problem(
                code="sysctl-unknown",
                where=where,
                what=f"Debian's kernel has no settings below '{root}'",
                mend=f"Did you mean '{near}'?" if near else f"Keys begin with {', '.join(_ROOTS)}",
                origin=answers.origin(where),
                owner=OWNER,
                severity=Severity.WARNING,
            )
        )
    return tuple(found)
