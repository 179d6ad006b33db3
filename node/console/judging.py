"""Judges what is typed at the console by the sections' own models, beside the screens and without rights.

What only the whole node can tell (netplan's own check, plugins' checks) is told once the change is applied:
the process with the rights reads nothing that somebody typed who did not log in.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from node.agent.edits import Edit, Operator, edited, parse_path
from node.console.views import Change
from node.errors import InputError
from node.installer.keys import KnownKeys
from node.installer.validation import validate_section
from node.model.answers import Section
from node.model.mask import MASK
from node.model.problem import Problem

Judge = Callable[[Mapping[str, Any], Sequence[Change]], Sequence[Problem]]


def judge_of(section: Section) -> Judge:
    """Give what judges changes of one section: stored values and changes in, problems that are new out."""
    known = KnownKeys({section.key: section.model})
    defaults = {section.key: section.model().model_dump(mode="json")}

    def problems_of(values: Mapping[str, Any]) -> tuple[Problem, ...]:
        return validate_section(section.model, values.get(section.key), {}, known)[1]

    def judge(values: Mapping[str, Any], changes: Sequence[Change]) -> Sequence[Problem]:
        stored = {section.key: _without_masks(values.get(section.key) or {})}
        edits = [Edit(parse_path(each.key), Operator.SET, each.value) for each in changes]
        try:
            typed = edited(stored, edits, defaults)
        except InputError as error:
            return error.problems
        # A stored value that a newer image refuses is not what was typed now.
        before = {(each.where, each.what) for each in problems_of(stored)}
        return [each for each in problems_of(typed) if (each.where, each.what) not in before]

    return judge


def _without_masks(values: Any) -> Any:
    """Leave secrets out: what is shown in their place is no value."""
    if isinstance(values, Mapping):
        return {key: _without_masks(value) for key, value in values.items() if value != MASK}
    if isinstance(values, list | tuple):
        return [_without_masks(value) for value in values if value != MASK]
    return values
