"""The kernel of a running node: modules with their options, and sysctl."""

from __future__ import annotations

from collections.abc import Sequence

from node.hookspecs import hookimpl
from node.model.answers import Answers, Section
from node.model.page import Page
from node.model.problem import Problem
from node.model.state import RenderedFile, State
from node.plugins.kernel.answers import KernelAnswers
from node.plugins.kernel.check import problems
from node.plugins.kernel.render import rendered

__all__ = ["KernelAnswers", "node_render", "node_sections", "node_validate"]


@hookimpl
def node_sections() -> Sequence[Section]:
    """Offer the section `kernel`."""
    return (
        Section(
            KernelAnswers,
            "Kernel",
            "Modules and their options, and sysctl. Arguments for the kernel itself are `boot.append`.",
            # Asked of nobody: most nodes want none of it.
            pages=(Page("kernel", "Kernel", asked=False),),
        ),
    )


@hookimpl
def node_validate(answers: Answers) -> Sequence[Problem]:
    """Doubt sysctl keys that no kernel has, as far as their first word tells."""
    return problems(answers)


@hookimpl
def node_render(state: State) -> Sequence[RenderedFile]:
    """Give the files of modules-load.d, modprobe.d and sysctl.d, for what the state sets."""
    return rendered(KernelAnswers.model_validate(state.sections.get("kernel", {})))
