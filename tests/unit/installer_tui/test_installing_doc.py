from __future__ import annotations

import pytest

from tests.unit.installer_tui.pictures import PAGE, drawn


@pytest.mark.effects("processes")
def test_the_screens_of_the_page_are_the_real_ones():
    text = PAGE.read_text(encoding="utf-8")
    assert text == drawn(text), "run: python -m tests.unit.installer_tui.pictures"
