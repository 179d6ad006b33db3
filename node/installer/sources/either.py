"""Answers in either form that people write them in: a document of ours, or a kickstart."""

from __future__ import annotations

from node.installer.document import read_document
from node.installer.sources.kickstart import is_kickstart, read_kickstart
from node.model.answers import Layer
from node.model.problem import Problem


def read_either(contents: bytes, *, name: str) -> tuple[Layer, tuple[Problem, ...]]:
    """Give the answers of a file, with what is wrong in it; `name` is what problems call it.

    A kickstart, such as cobbler renders, says the same things in its own words.
    """
    read = read_kickstart if is_kickstart(contents) else read_document
    return read(contents, name=name)
