"""Where plugins of the image and of this boot are looked for."""

from __future__ import annotations

from pathlib import Path

from node.system.plugin_folders import add_to_path


def test_at_the_end_and_only_what_there_is(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    path = ["/first"]
    for _ in range(2):
        add_to_path([tmp_path / "there", tmp_path / "gone"], path)
    assert path == ["/first", str(tmp_path / "there")]
