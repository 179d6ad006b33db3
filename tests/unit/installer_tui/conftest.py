from __future__ import annotations

from collections.abc import Iterator

import pytest

from node import locale


@pytest.fixture(autouse=True)
def _english(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("NODECRUST_PLUGINS", "")
    locale.use("en")
    yield
    locale.use("en")
