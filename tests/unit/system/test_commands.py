from __future__ import annotations

import logging
import time

import pytest

from node.errors import CommandFailedError
from node.system.commands import LiveCommands

pytestmark = pytest.mark.effects("processes", "writes")
run = LiveCommands().run


def test_surroundings_are_clean(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "de_DE.UTF-8")
    monkeypatch.setenv("PYTHONPATH", "/somewhere")
    seen = dict(line.split("=", 1) for line in run(["env"], environment={"X": "1"}).output.splitlines())
    assert seen["LC_ALL"] == "C.UTF-8"
    assert "PYTHONPATH" not in seen
    assert seen["X"] == "1"


def test_standard_input_is_empty_unless_given() -> None:
    assert run(["cat"]).output == ""
    assert run(["cat"], stdin="words").output == "words"


def test_failure_brings_its_last_words() -> None:
    with pytest.raises(CommandFailedError) as caught:
        run(["sh", "-c", "for n in $(seq 30); do echo line $n >&2; done; exit 3"])
    assert caught.value.brief == "sh failed (exit status 3)"
    assert caught.value.status == 3
    assert caught.value.details.splitlines() == [f"line {n}" for n in range(21, 31)]


def test_unchecked_failure_is_a_result() -> None:
    assert run(["sh", "-c", "exit 3"], check=False).status == 3


def test_missing_program_names_its_package() -> None:
    with pytest.raises(CommandFailedError, match="Debian's package efibootmgr has it") as caught:
        run(["/none/efibootmgr"])
    assert caught.value.status == 127
    assert run(["/none/such"], check=False).status == 127


def test_what_does_not_end_is_killed_with_its_children() -> None:
    begun = time.monotonic()
    with pytest.raises(CommandFailedError, match=r"did not end within 0\.3 s") as caught:
        run(["sh", "-c", "echo working >&2; sleep 60 & wait"], timeout_s=0.3)
    assert time.monotonic() - begun < 10
    assert caught.value.details == "working"


def test_killed_program_is_named_with_its_signal() -> None:
    with pytest.raises(CommandFailedError, match="SIGKILL"):
        run(["sh", "-c", "kill -9 $$"])


def test_secrets_are_masked_everywhere(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with pytest.raises(CommandFailedError) as caught:
        run(
            ["sh", "-c", "echo the $1 $P >&2; exit 1", "sh", "--password=hunter22"],
            secrets=["hunter22"],
            environment={"P": "hunter22"},
        )
    everything = f"{caught.value}{caught.value.details}{caught.value.argv}{caplog.text}"
    assert "hunter22" not in everything
    assert "--password=********" in everything


def test_log_has_a_line_to_paste(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    run(["echo", "two words"])
    assert "LC_ALL=C.UTF-8 echo 'two words'" in caplog.text
