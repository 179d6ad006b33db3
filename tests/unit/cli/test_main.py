"""The error boundary and the commands, as somebody at a terminal meets them."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from node.cli import boundary, install, logs, main
from node.demo import machines
from node.errors import InputError, StepFailedError, TryAgainError, UnfitMachineError
from node.model.problem import Problem

PROBLEM = Problem("disk-too-small", "storage.disk", "is too small", "Take a larger one")
MACHINES = Path(machines.__file__).parent


@pytest.fixture(autouse=True)
def _own_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(logs, "RUN", tmp_path / "run")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.setenv("NODECRUST_PLUGINS", "")
    root = logging.getLogger()
    before = (root.handlers[:], root.level)
    yield
    root.handlers[:], root.level = before


def raising(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    @click.command()
    @click.option("--json", "as_json", is_flag=True)
    def command(*, as_json: bool) -> None:
        del as_json
        raise error

    monkeypatch.setattr(main.LazyGroup, "get_command", lambda self, ctx, name: command)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (InputError("one problem", problems=[PROBLEM]), 2),
        (UnfitMachineError("one problem", problems=[PROBLEM]), 69),
        (TryAgainError("no server"), 75),
        (StepFailedError("write failed", step="Copy", owner="payload", disk_state="cleared"), 1),
        (ZeroDivisionError("oops"), 70),
        (KeyboardInterrupt(), 130),
    ],
)
def test_every_error_has_its_exit_code_and_words(
    error: BaseException, code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    raising(monkeypatch, error)
    assert main.run(["x"]) == code
    shown = capsys.readouterr()
    assert shown.err
    assert not shown.out
    assert "Traceback" not in shown.err


@pytest.mark.parametrize(
    ("answers", "options", "asked", "code"),
    [
        ("{disk: {serial: NODE0001}}", [], True, 2),
        ("{disk: {serail: NODE0001}}", [], False, 2),
        ("{disk: {serial: NODE0001}}", ["--json"], False, 2),
        ("{disk: {serial: OTHER}}", [], True, 2),
    ],
)
def test_a_disk_is_asked_for_only_where_its_name_could_be_all_that_is_missing(
    answers: str, options: list[str], asked: bool, code: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    (tmp_path / "a.yaml").write_text(f"access: {{no_login: true}}\nstorage: {answers}\n")
    questions: list[str] = []
    monkeypatch.setattr(install, "this_machine", lambda: machines.machine("vm-virtio-blank"))
    monkeypatch.setattr(install.os, "geteuid", lambda: 0)
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(click, "prompt", lambda question, **_: questions.append(question) or "")
    assert main.run(["install", "--answers", str(tmp_path / "a.yaml"), *options]) == code
    assert bool(questions) is asked


@pytest.mark.parametrize(
    ("error", "code"), [(InputError("one", problems=[PROBLEM]), 2), (ZeroDivisionError("oops"), 70)]
)
def test_with_json_an_error_is_one_document(
    error: Exception, code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    raising(monkeypatch, error)
    assert main.run(["x", "--json"]) == code
    told = json.loads(capsys.readouterr().out)["error"]
    assert told["exit_code"] == code
    if code == 2:
        assert told["problems"][0]["code"] == "disk-too-small"


def test_a_bug_has_a_short_reference_and_its_traceback_is_in_the_log(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
):
    raising(monkeypatch, ZeroDivisionError("oops"))
    main.run(["x"])
    log = (tmp_path / "nodecrust" / "nodectl.log").read_text()
    assert "Traceback" in log
    first = capsys.readouterr().err
    reference = log.split("reference ")[1][:8]
    assert f"reference {reference}" in first
    raising(monkeypatch, ZeroDivisionError("oops"))
    main.run(["x"])
    assert f"reference {reference}" in capsys.readouterr().err


def test_no_password_hash_reaches_the_log_of_a_bug(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    raising(monkeypatch, ValueError("input_value='$6$abcdefgh$0123456789'"))
    main.run(["x"])
    log = (tmp_path / "nodecrust" / "nodectl.log").read_text()
    assert "input_value='********'" in log
    assert "abcdefgh" not in log


def test_a_reader_that_goes_away_is_no_error(monkeypatch: pytest.MonkeyPatch):
    raising(monkeypatch, BrokenPipeError())
    with open("/dev/null", "w") as null:  # noqa: PTH123
        monkeypatch.setattr(sys, "stdout", null)
        assert main.run(["x"]) == 0


def test_wrong_usage(capsys: pytest.CaptureFixture[str]):
    assert main.run(["plan", "--nonsense"]) == 2
    assert "--nonsense" in capsys.readouterr().err
    assert main.run(["nonsense"]) == 2
    assert "Did you mean" not in capsys.readouterr().err
    assert main.run(["inventroy"]) == 2
    assert "Did you mean 'inventory'?" in capsys.readouterr().err
    assert main.run(["plan", "--json"]) == 2
    assert "--answers" in json.loads(capsys.readouterr().out)["error"]["brief"]


def commands() -> list[str]:
    return [
        name
        for name in main.COMMANDS
        if Path(*main.COMMANDS[name].module.split(".")).with_suffix(".py").exists()
    ]


@pytest.mark.parametrize("arguments", [[], *([name] for name in commands())])
def test_help_fits_eighty_columns(arguments: list[str], capsys: pytest.CaptureFixture[str]):
    assert main.run([*arguments, "--help"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) > 4
    assert max(map(len, lines)) <= 80


@pytest.mark.parametrize("name", commands())
def test_the_overview_says_what_each_command_s_help_says_first(name: str):
    command = main.nodectl.get_command(click.Context(main.nodectl), name)
    assert command is not None
    assert main.COMMANDS[name].help == command.get_short_help_str(limit=100)


def test_the_overview_imports_no_command(monkeypatch: pytest.MonkeyPatch):
    before = set(sys.modules)
    assert main.run(["--help"]) == 0
    assert not [name for name in set(sys.modules) - before if name.startswith(("node.cli.", "pydantic"))]


@pytest.mark.effects("processes")
@pytest.mark.parametrize(("name", "code"), [("vm-virtio-blank", 0), ("vm-no-disk", 69), ("vm-two-equal", 69)])
def test_plan_ends_with_the_exit_code_of_a_refusal(
    name: str, code: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    answers = tmp_path / "answers.yaml"
    answers.write_text("version: 1\n")
    arguments = ["plan", "--answers", str(answers), "--inventory", str(MACHINES / f"{name}.json")]
    assert main.run(arguments) == code
    assert "Problems" in capsys.readouterr().out
    assert main.run([*arguments, "--json"]) == code
    assert json.loads(capsys.readouterr().out)["exit_code"] == code


@pytest.mark.effects("processes")
def test_plan_takes_a_kickstart_as_the_installation_does(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    answers = tmp_path / "site.ks"
    answers.write_text("lang en_US.UTF-8\nnetwork --hostname=rack7\n\nnetwork --bogus\n")
    machine = str(MACHINES / "vm-virtio-blank.json")
    assert main.run(["plan", "--answers", str(answers), "--inventory", machine]) == 2
    said = " ".join(capsys.readouterr().out.split())
    assert "--bogus can't be said to a node" in said
    assert "mapping of sections" not in said


@pytest.mark.parametrize("contents", ["{}x", '{"disks": 7}', "", "{}", '{"format": 2}'])
def test_what_is_no_recorded_machine_is_refused(
    contents: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    (tmp_path / "a.yaml").write_text("version: 1\n")
    (tmp_path / "m.json").write_text(contents)
    arguments = ["plan", "--answers", str(tmp_path / "a.yaml"), "--inventory", str(tmp_path / "m.json")]
    assert main.run(arguments) == 2
    assert "is not a recorded machine" in capsys.readouterr().err


def test_schema_is_json_and_names_every_section(capsys: pytest.CaptureFixture[str]):
    assert main.run(["schema"]) == 0
    schema = json.loads(capsys.readouterr().out)
    assert schema["additionalProperties"] is False
    assert {"version", "install", "storage", "network", "access", "locale"} <= set(schema["properties"])


def test_plugins_are_listed(capsys: pytest.CaptureFixture[str]):
    assert main.run(["plugins", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    first = told["plugins"][0]
    assert (first["name"], first["state"], first["built_in"]) == ("install", "loaded", True)
    assert first["hooks"] == ["node_sections", "node_validate"]
    assert first["calls"]["node_validate"]["times"] > 0


def test_a_crash_never_hides_behind_its_own_log(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(boundary, "append_to_log", lambda text: None)
    raising(monkeypatch, ZeroDivisionError("oops"))
    assert main.run(["x"]) == 70
