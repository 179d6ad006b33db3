"""Whether a node that is installed as asked keeps anything at all."""

from __future__ import annotations

from node.model.answers import Answers
from node.model.layout import Role


def keeps_nothing(answers: Answers) -> bool:
    """Tell whether the answers lay out a disk without CONFIG; False where they lay out none.

    What a node must know again after a restart, its keys above all, has no place then.
    """
    roles = getattr(answers.sections.get("storage"), "roles", None)
    return roles is not None and Role.CONFIG not in roles
