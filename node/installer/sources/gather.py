"""Gathers the layers of the answers from everywhere that this machine was told to look."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from node.errors import InputError
from node.installer.document import read_document
from node.installer.keys import KnownKeys
from node.installer.sources.command_line import read_command_line
from node.installer.sources.either import read_either
from node.installer.sources.kernel import KernelArguments, read_kernel_arguments
from node.installer.sources.location import Location, Scheme, check_sha256, locate
from node.installer.sources.medium import read_from_medium
from node.model.answers import Layer, SectionModel
from node.model.origin import Origin, Precedence
from node.model.problem import Problem
from node.model.system import Commands

IMAGE_ANSWERS = Path("/usr/lib/nodecrust/answers.yaml")
# Where the initrd left its word: a machine without it was not booted by us.
IMAGE_FACTS = Path("/run/node/image.json")


@dataclass(frozen=True)
class Gathered:
    """The layers and the problems of their sources; `answers` is where the file of answers is."""

    layers: tuple[Layer, ...]
    problems: tuple[Problem, ...]
    kernel: KernelArguments
    answers: Location | None = None


def local_layers(
    models: Mapping[str, type[SectionModel]],
    *,
    image_answers: Path = IMAGE_ANSWERS,
    command_line: str | None = None,
) -> Gathered:
    """Gather what needs no network: the image's own answers and the kernel arguments.

    The command line is read only where our initrd ran, unless one is given.
    """
    layers: list[Layer] = []
    problems: list[Problem] = []
    if image_answers.is_file():
        layer, found = read_document(
            image_answers.read_bytes(), name=str(image_answers), precedence=Precedence.IMAGE
        )
        layers.append(layer)
        problems += found
    if command_line is None:
        command_line = read_command_line() if IMAGE_FACTS.exists() else ""
    kernel = read_kernel_arguments(command_line, KnownKeys(models))
    return Gathered((*layers, kernel.layer), (*problems, *kernel.problems), kernel)


def with_answers(
    gathered: Gathered, commands: Commands, *, asked: Mapping[str, str] | None = None
) -> Gathered:
    """Add the file of answers that the kernel arguments name, or that `asked` names (--answers).

    What is wrong with the place or the file is a problem; TryAgainError where the network fails.
    """
    own = gathered.kernel.own if asked is None else asked
    location, problems = locate(own)
    if asked is not None:
        problems = tuple(_of_option(problem) for problem in problems)
    gathered = replace(gathered, problems=(*gathered.problems, *problems), answers=location)
    if location is None:
        return gathered
    try:
        contents, name = _read(location, commands)
    except InputError as error:
        # A wrong address or hash is told together with every other problem.
        problem = Problem(
            "answers-source",
            "node.answers" if asked is None else "--answers",
            " ".join([error.brief, *(f"({line})" for line in error.details.splitlines())]),
            error.mend,
            Origin(Precedence.KERNEL, "kernel argument node.answers") if asked is None else None,
        )
        return replace(gathered, problems=(*gathered.problems, problem))
    layer, found = read_either(contents, name=name)
    return replace(gathered, layers=(*gathered.layers, layer), problems=(*gathered.problems, *found))


def _read(location: Location, commands: Commands) -> tuple[bytes, str]:
    if location.scheme is Scheme.MEDIUM:
        contents, name = read_from_medium(location.address, commands)
    elif location.scheme is Scheme.FILE:
        name = location.address
        try:
            contents = Path(name).read_bytes()
        except OSError as error:
            raise InputError(f"{name}: {error.strerror or error}", mend="Name a file that is there") from None
    else:
        from node.installer.sources.fetch import fetch  # noqa: PLC0415 - urllib3 only where it is used

        return fetch(location, commands=lambda: commands), str(location)
    check_sha256(contents, location)
    return contents, name


def _of_option(problem: Problem) -> Problem:
    """Say --answers where the place was named on nodectl's own command line."""
    words = {"node.answers.sha256": "--sha256", "node.answers.ca": "--ca", "node.answers.trust": "--trust",
             "node.answers": "--answers"}  # fmt: skip
    where, what, mend = problem.where, problem.what, problem.mend
    for name, option in words.items():
        where, what, mend = (text.replace(name, option) for text in (where, what, mend))
    return replace(problem, where=where, what=what, mend=mend, origin=None)
