"""`nodectl register` where a round can't even begin: another one follows all the same."""

from __future__ import annotations

import os

import pytest

from node.cli import config_desk, register
from node.cli.main import run
from node.system.time_limit import TooLongError


def test_a_round_that_could_not_begin_is_followed_by_another(
    monkeypatch: pytest.MonkeyPatch, tmp_path, capsys: pytest.CaptureFixture[str]
) -> None:
    def too_long() -> None:
        raise TooLongError("it took longer than 12 s")

    armed: list[float | None] = []
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr("node.cli.main.configure_logging", lambda **_: None)
    monkeypatch.setattr(config_desk, "load_plugins", too_long)
    monkeypatch.setattr(register, "_LOCK", tmp_path / "lock")
    monkeypatch.setattr(register, "arm_next", lambda next_s, _commands: armed.append(next_s))
    # The unit takes it for a success, so that systemd would not begin it again.
    assert run(["register"]) == 75
    assert armed == [60.0]
    assert "too busy" in capsys.readouterr().err
