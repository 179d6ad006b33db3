"""Unit tests start no process, open no socket and write nothing outside temporary folders."""

from __future__ import annotations

import os

import hypothesis
import pytest

from node.testing.guard import guarded
from node.testing.pytest_plugin import any_machine, fake_system, recorded_machine

__all__ = ["any_machine", "fake_system", "recorded_machine"]

# A machine that is busy with other things is no reason to fail.
hypothesis.settings.register_profile(
    "unit", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.register_profile("soak", hypothesis.settings.get_profile("unit"), max_examples=2000)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "unit"))


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_call(item: pytest.Item):
    marker = item.get_closest_marker("effects")
    with guarded(allowed=frozenset(marker.args if marker else ())):
        yield
