"""A folder of distributions, each with one plugin, as pip or a Debian package would leave them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent

from tests.wheels import Wheel

IMPORTS = """
import ctypes, fcntl, locale, os, signal, sys, threading, time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar
from pydantic import Field, field_validator
from node.hookspecs import LayoutProposal, StatusLine, Support, Target, hookimpl
from node.model.answers import Answers, Section, SectionModel
from node.model.inventory import Inventory
from node.model.page import Page, TextField
from node.model.problem import Problem, Severity
from node.model.refusal import refuse
from node.model.state import RenderedFile, State
from node.model.step import PlannedStep, Step
"""

# Does a little of everything, and does it well: what must go on whatever the others do.
GOOD = '''
class GoodAnswers(SectionModel):
    """What the good plugin asks."""

    key: ClassVar[str] = "good"
    persists: ClassVar[bool] = True
    secret: ClassVar[frozenset[str]] = frozenset({"token"})

    level: int = Field(3, ge=0, le=9, description="How good.")
    words: tuple[str, ...] = ()
    token: str = ""

    @field_validator("words")
    @classmethod
    def no_bad_words(cls, words: tuple[str, ...]) -> tuple[str, ...]:
        if "bad" in words:
            raise refuse("bad-word", "holds a bad word", "Find a better one")
        return words


@dataclass(frozen=True)
class BeGood(Step):
    level: int
    token: str
    path: str = ""
    timeout_s: ClassVar[float] = 7.0
    secret_fields: ClassVar[frozenset[str]] = frozenset({"token"})

    def summary(self) -> str:
        return f"Be good at level {self.level} ({self.token})"

    def apply(self, system: Any) -> None:
        system.say(f"level {self.level}, token {self.token}")
        if self.path:
            with open(self.path, "w") as file:
                file.write(f"{os.getpid()} {__name__}")

    def undo(self, system: Any) -> None:
        system.say("undone")

    def aftermath(self) -> str:
        return "as good as before"


@hookimpl
def node_sections() -> list[Section]:
    page = Page("good", "Goodness", "How good?", fields=(TextField(key="good.level", label="Level"),))
    return [Section(GoodAnswers, "Good", "What is good.", pages=(page,))]


@hookimpl
def node_validate(answers: Answers) -> Iterator[Problem]:
    if answers[GoodAnswers].level == 9:
        yield Problem("too-good", "good.level", "is too good", "Be modest", severity=Severity.WARNING)


@hookimpl
def node_plan(answers: Answers, target: Target) -> list[PlannedStep]:
    mine = answers[GoodAnswers]
    return [PlannedStep("vendor", BeGood(mine.level, mine.token, os.environ.get("GOOD_PATH", "")))]


@hookimpl
def node_kernel_args() -> list[str]:
    return ["good=1"]


@hookimpl
def node_render(state: State) -> list[RenderedFile]:
    return [RenderedFile("/etc/good.conf", f"{dict(state.sections.get('good', {}))}\\n")]


@hookimpl
def node_persist_paths() -> list[str]:
    return ["/etc/good.d"]


@hookimpl
def node_probe(inventory: Inventory) -> dict[str, Any]:
    return {"disks": len(inventory.disks)}


@hookimpl
def node_status_panels() -> list[StatusLine]:
    return [StatusLine("good", "very")]


@hookimpl
def node_migrate(section: str, values: Any, version: int) -> Any:
    return {**values, "level": 1} if section == "good" else None
'''


def as_wheel(name: str, code: str, *, keywords: str = "nodecrust-api=1") -> Wheel:
    """Give the plugin `name` as the wheel `NAME-dist` 1.0."""
    module = f"{name.replace('-', '_')}_plugin"
    return Wheel(
        name=f"{name}-dist",
        version="1.0",
        points={name: module},
        files={f"{module}.py": IMPORTS + dedent(code)},
        headers=(f"Keywords: {keywords}",),
    )


@dataclass(frozen=True)
class Site:
    """The folder."""

    folder: Path

    def add(
        self,
        name: str,
        code: str,
        *,
        keywords: str = "nodecrust-api=1",
        replaces: str = "",
        module: str = "",
        distribution: str = "",
        version: str = "1.0",
    ) -> None:
        """Add the plugin `name` of the distribution `NAME-dist`."""
        module = module or name.replace("-", "_").replace(".", "_") + "_plugin"
        distribution = distribution or f"{name}-dist"
        (self.folder / f"{module}.py").write_text(IMPORTS + dedent(code), encoding="utf-8")
        info = self.folder / f"{distribution.replace('-', '_')}-{version}.dist-info"
        info.mkdir()
        head = f"Metadata-Version: 2.1\nName: {distribution}\nVersion: {version}\n"
        (info / "METADATA").write_text(f"{head}Keywords: {keywords}\n\nWords.\n" if keywords else f"{head}\n")
        points = f"[nodecrust]\n{name} = {module}\n"
        if replaces:
            points += f"\n[nodecrust.replaces]\n{name} = {replaces}\n"
        (info / "entry_points.txt").write_text(points)

    def good(self, name: str = "good") -> None:
        """Add the one that does all well."""
        self.add(name, GOOD)
