"""What a console that nobody types at costs the node."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from node.console.screens import OVERVIEW_S, QUIET_S, QUIET_TIMES
from node.console.views import Overview
from tests.unit.console.desk import Operator


@pytest.fixture
def operator(tmp_path: Path) -> Operator:
    return Operator(tmp_path)


def readings(operator: Operator, seconds: float) -> int:
    """Give how often the node is read within so many seconds."""
    count, ask = 0, operator.clerk.overview

    def overview() -> Overview:
        nonlocal count
        count += 1
        return ask()

    operator.clerk.overview = overview  # type: ignore[method-assign]
    operator.bg.wait(seconds)
    operator.clerk.overview = ask  # type: ignore[method-assign]
    return count


def test_a_node_is_read_more_rarely_where_nobody_types(operator: Operator) -> None:
    assert readings(operator, 120) == 120 / OVERVIEW_S
    operator.bg.wait(QUIET_S - 120 + OVERVIEW_S)
    assert readings(operator, 600) == 600 / (OVERVIEW_S * QUIET_TIMES)
    # The log-in that ended after ten minutes and the page that came with it are no key.
    assert readings(operator, 3600) == 60


def test_who_comes_sees_the_node_as_it_is_now(operator: Operator) -> None:
    operator.bg.wait(QUIET_S + 4 * OVERVIEW_S)
    operator.node.seen = replace(operator.node.seen, clock="2026-11-23 23:59 UTC")
    operator.press("down")
    operator.sees("2026-11-23 23:59 UTC")
    assert readings(operator, 60) == 60 / OVERVIEW_S
