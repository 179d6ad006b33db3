"""What is taken of facts."""

from __future__ import annotations

import pytest

from server.facts import take_name
from server.models import Node


@pytest.mark.parametrize(
    ("said", "name"),
    [("new", "new"), ("x" * 253, "x" * 253), ("x" * 254, "old"), ("half \ud800", "old"), (["a"], "old")],
)
def test_a_host_name_is_one_line_of_text(said: object, name: str) -> None:
    node = Node(name="old")
    take_name(node, {"hostname": said})
    assert node.name == name
