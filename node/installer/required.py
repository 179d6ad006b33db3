"""Which plugins an installation can't do without, and what becomes of answers for one that is not there."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from node.model.answers import Answers
from node.model.near import nearest
from node.model.origin import Origin
from node.model.plugins import LeftOut, PluginsAnswers
from node.model.problem import Blame, Problem, Severity
from node.plugin_manager import FAILED, Record

_KEY = f"{PluginsAnswers.key}.required"


@dataclass(frozen=True)
class Required:
    """Names of plugins, and where they were named."""

    names: tuple[str, ...] = ()
    origin: Origin | None = None

    def judged(self, problems: Iterable[Problem], records: Sequence[Record]) -> tuple[Problem, ...]:
        """Give the problems of plugins: errors where they are required, and one for each that isn't there."""
        known = {record.name: record for record in records}
        found = [
            replace(problem, severity=Severity.ERROR)
            if problem.owner in self.names and problem.code == FAILED
            else problem
            for problem in problems
        ]
        named = {problem.owner for problem in found if problem.severity is Severity.ERROR}
        for name in self.names:
            record = known.get(name)
            if (record is None or record.state != "loaded") and name not in named:
                why = f"it is {record.state}: {record.why}" if record else "this image has none of that name"
                near = "" if record else nearest(name, known)
                mend = f"Did you mean {near}?" if near else "Add it to the image, or don't require it"
                found.append(
                    Problem(
                        "plugin-required",
                        _KEY,
                        f"plugin {name} is required and not there; {why}",
                        mend,
                        self.origin,
                        owner=name,
                        blame=Blame.MACHINE,
                    )
                )
        return tuple(found)


def required_by(answers: Answers) -> Required:
    """Give what the answers require."""
    return Required(answers[PluginsAnswers].required, answers.origin(_KEY))


def left_out(answers: Answers) -> tuple[Problem, ...]:
    """Say which sections nobody reads, since their plugins are not there."""
    return tuple(
        Problem(
            "section-left-out",
            key,
            "is the section of a plugin that is not there, and nobody reads it",
            "See nodectl plugins",
            answers.origin(key),
            severity=Severity.WARNING,
        )
        for key, section in answers.sections.items()
        if isinstance(section, LeftOut) and section.model_extra
    )
