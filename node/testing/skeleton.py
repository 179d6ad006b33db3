"""A plugin to begin with: a section with a page, a step, a file, a fact and a check, with tests of them."""

from __future__ import annotations

import keyword
import re
from collections.abc import Mapping
from pathlib import Path
from string import Template

from node.errors import InputError, NodeError
from node.hookspecs import API_VERSION
from node.plugin_host.built_ins import NAMES

# The distribution's name is also the plugin's and, with underscores, its package's.
_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_LONGEST = 40

_PYPROJECT = """\
[build-system]
requires = ["setuptools>=68"]
build-backend = "setuptools.build_meta"

[project]
name = "$name"
version = "0.1.0"
description = "A plugin for Nodecrust"
readme = "README.md"
requires-python = ">=3.11"
# The versions of the plugin interface that it was written for.
keywords = ["nodecrust-api=$api"]

[project.entry-points.nodecrust]
$name = "$package.plugin"

[tool.setuptools]
packages = ["$package"]

[tool.pytest.ini_options]
pythonpath = ["."]
testpaths = ["tests"]
"""

_GITIGNORE = """\
__pycache__/
*.egg-info/
/build/
/*.whl
"""

_README = """\
# $name

A plugin for Nodecrust nodes. It adds a section `$key` to the answers, with a page in the installer, and
writes a greeting into `/etc/$name` of each node.

    python -m pytest                       its tests; nodecrust[testing,image] and pytest must be installed
    nodectl plugins check . --answers tests/answers.yaml
    pip wheel --no-deps .                  the wheel for an image

| answer | meaning |
| --- | --- |
| `$key.greeting` | What `/etc/$name` says; nothing is done without it. |
"""

_INIT = '''\
"""A plugin for Nodecrust."""
'''

_PLUGIN = '''\
"""The hooks; docs/hooks.md of Nodecrust says when each one is called."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from node.hookspecs import Target, hookimpl
from node.model.answers import Answers, Section
from node.model.health import HealthCheck, Outcome
from node.model.inventory import Inventory
from node.model.layout import Role
from node.model.page import OWN, Page, TextField
from node.model.problem import Problem
from node.model.state import RenderedFile, State
from node.model.step import PlannedStep

from $package.answers import ${prefix}Answers
from $package.steps import NoteGreeting

FILE = "/etc/$name"
_GREETING = TextField(
    key="$key.greeting",
    label="Greeting",
    help="What /etc/$name says. Leave it empty to do nothing.",
    empty="nothing is done",
)


@hookimpl
def node_sections() -> Sequence[Section]:
    """Offer the section `$key`, with a page of the installer."""
    page = Page("$key", "$title", "This page is asked by the plugin $name.", OWN, (_GREETING,))
    return (Section(${prefix}Answers, "$title", "What the plugin $name does.", pages=(page,)),)


@hookimpl
def node_validate(answers: Answers) -> Sequence[Problem]:
    """Refuse what would not be one line."""
    if answers[${prefix}Answers].greeting.isprintable():
        return ()
    return (Problem("$name-greeting", "$key.greeting", "is more than one line", "Write one line"),)


@hookimpl
def node_plan(answers: Answers, target: Target) -> Sequence[PlannedStep]:
    """Note on CONFIG that the node was greeted, where there is a CONFIG."""
    greeting = answers[${prefix}Answers].greeting
    if not greeting or target.layout.get(Role.CONFIG) is None:
        return ()
    return (PlannedStep("vendor", NoteGreeting(greeting)),)


@hookimpl
def node_render(state: State) -> Sequence[RenderedFile]:
    """Give the greeting's file at every boot, for as long as there is one."""
    mine = ${prefix}Answers.model_validate(state.sections.get("$key", {}))
    return (RenderedFile(FILE, mine.greeting + "\\n", live=()),) if mine.greeting else ()


@hookimpl
def node_probe(inventory: Inventory) -> Mapping[str, Any]:
    """Tell a server how many disks and cards there are."""
    return {"disks": len(inventory.disks), "cards": len(inventory.nics)}


@hookimpl
def node_health_checks() -> Sequence[HealthCheck]:
    """Say whether the greeting is there."""
    if Path(FILE).is_file():
        return (HealthCheck("$name", Outcome.PASSED),)
    return (HealthCheck("$name", Outcome.SKIPPED, "not asked for"),)
'''

_ANSWERS = '''\
"""What can be asked of this plugin."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from node.model.answers import SectionModel


class ${prefix}Answers(SectionModel):
    """The section `$key`; it outlives the installation."""

    key: ClassVar[str] = "$key"
    persists: ClassVar[bool] = True

    greeting: str = Field("", description="What `/etc/$name` says; nothing is done without it.")
'''

_STEPS = '''\
"""The steps: frozen values that say what they do, and do it through `system` alone."""

from __future__ import annotations

from dataclasses import dataclass

from node.model.step import Step
from node.model.system import System

FILE = "config/$name/greeting"
# What FILE held before; empty where there was none.
KEPT = f"{FILE}.before"


@dataclass(frozen=True)
class NoteGreeting(Step):
    """Leave a file on CONFIG, which is /config of the node; the target's folders are below `system.root`."""

    greeting: str

    def summary(self) -> str:
        """Say it."""
        return f"Note the greeting '{self.greeting}'"

    def apply(self, system: System) -> None:
        """Write the file, once what was there is kept: an earlier CONFIG may have had one (storage.keep).

        A step may be repeated after a power cut: what was kept then stays as it is.
        """
        file, kept = system.root / FILE, system.root / KEPT
        if not system.files.exists(kept):
            system.files.write(kept, system.files.read(file) if system.files.exists(file) else b"")
        system.files.write(file, f"{self.greeting}\\n".encode())

    def undo(self, system: System) -> None:
        """Put back what was there, whether the file was written or not; without KEPT nothing was done."""
        file, kept = system.root / FILE, system.root / KEPT
        if not system.files.exists(kept):
            return
        if before := system.files.read(kept):
            system.files.write(file, before)
        else:
            system.files.remove(file)
        system.files.remove(kept)

    def finish(self, system: System) -> None:
        """Forget what was there: the installation is done."""
        system.files.remove(system.root / KEPT)
'''

_CONFTEST = '''\
"""The fixtures of node.testing."""

pytest_plugins = ["node.testing.pytest_plugin"]
'''

_TESTS = '''\
"""The plugin on the bench: nothing is installed, no root is needed and nothing is written."""

from __future__ import annotations

import pytest

from $package import plugin
from $package.steps import FILE, NoteGreeting
from node.testing.workbench import run_steps

ASKED = {"$key": {"greeting": "hello"}}


def test_nothing_is_done_unasked(workbench, any_machine):
    assert workbench(plugin, name="$name").steps(on=any_machine) == ()


def test_the_plan_has_our_step(workbench):
    bench = workbench(plugin, name="$name")
    assert bench.steps(ASKED) == (NoteGreeting("hello"),)
    assert "Note the greeting 'hello'" in bench.plan_text(ASKED)


def test_two_lines_are_a_problem_with_its_place(workbench):
    (problem,) = workbench(plugin, name="$name").problems({"$key": {"greeting": "a\\nb"}})
    assert problem.where == "$key.greeting"


def test_the_step_writes(fake_system):
    run_steps(NoteGreeting("hello"), system=fake_system)
    ((path, contents),) = fake_system.file_contents.items()
    assert (path.name, contents) == ("greeting", b"hello\\n")


@pytest.mark.parametrize("before", [{}, {"greeting": b"of an earlier node\\n"}])
def test_undo_puts_back_what_was_there(fake_system, before):
    folder = (fake_system.root / FILE).parent
    fake_system.file_contents = {folder / name: contents for name, contents in before.items()}
    step = NoteGreeting("hello")
    step.undo(fake_system)
    for _ in range(2):
        step.apply(fake_system)
    assert fake_system.file_contents[folder / "greeting"] == b"hello\\n"
    step.undo(fake_system)
    assert fake_system.file_contents == {folder / name: contents for name, contents in before.items()}


def test_each_boot_makes_the_file(workbench):
    bench = workbench(plugin, name="$name")
    assert bench.render(ASKED)["/etc/$name"].contents == "hello\\n"
    assert bench.render() == {}


def test_the_page_is_shown(workbench):
    screens = workbench(plugin, name="$name").screens()
    screens.show("$key")
    assert "Greeting" in screens.text()


def test_the_server_is_told(workbench, inventory):
    facts = workbench(plugin, name="$name").facts(inventory(disks=[], nics=[]))
    assert facts == {"disks": 0, "cards": 0}


def test_the_check_of_health(workbench):
    assert workbench(plugin, name="$name").health() == {"$name": "skipped: not asked for"}
'''

_SAMPLE = """\
$key:
  greeting: hello
"""

FILES: Mapping[str, str] = {
    ".gitignore": _GITIGNORE,
    "pyproject.toml": _PYPROJECT,
    "README.md": _README,
    "$package/__init__.py": _INIT,
    "$package/plugin.py": _PLUGIN,
    "$package/answers.py": _ANSWERS,
    "$package/steps.py": _STEPS,
    "tests/conftest.py": _CONFTEST,
    "tests/test_plugin.py": _TESTS,
    "tests/answers.yaml": _SAMPLE,
}


def skeleton(name: str) -> dict[str, str]:
    """Give the files of a plugin of this name, by their paths; InputError where it is no name for one."""
    package = name.replace("-", "_")
    if not _NAME.fullmatch(name) or len(name) > _LONGEST or keyword.iskeyword(package):
        raise InputError(
            f"'{name}' is no name for a plugin",
            mend=f"Take small letters, digits and single dashes, a letter first, at most {_LONGEST}",
        )
    if package in ("node", "image", "server", "tests"):
        raise InputError(f"'{name}' would hide another package", mend="Take another name")
    if name in NAMES:
        raise InputError(f"'{name}' is the name of a built-in plugin", mend="Take another name")
    words = {
        "name": name,
        "package": package,
        # A key of the answers is one word, as kernel arguments have it.
        "key": package,
        "prefix": "".join(part.capitalize() for part in name.split("-")),
        "title": name.replace("-", " ").capitalize(),
        "api": str(API_VERSION),
    }
    return {
        Template(path).substitute(words): Template(text).substitute(words) for path, text in FILES.items()
    }


def write_skeleton(name: str, folder: Path) -> list[Path]:
    """Write a plugin into a new folder; give its files. InputError where the folder holds anything."""
    files = skeleton(name)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError(f"{folder} is not empty", mend="Name a folder that is not there yet")
    written = []
    for path, text in files.items():
        try:
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text, encoding="utf-8")
        except OSError as error:
            raise NodeError(f"{folder / path}: {error.strerror}", mend="Name another folder") from None
        written.append(folder / path)
    return written
