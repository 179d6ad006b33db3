"""The command line: help that fits a terminal, errors in words."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from image import cli, program
from image.menus import Boot
from node.errors import InputError, TryAgainError


@pytest.mark.parametrize("words", [[], ["build"], ["iso"], ["serve"], ["add-plugin"], ["bundle-plugins"]])
def test_help_fits_80_columns(words: list[str]) -> None:
    result = CliRunner().invoke(cli.cli, [*words, "--help"])
    assert result.exit_code == 0
    assert max(map(len, result.output.splitlines())) <= 80


@pytest.mark.parametrize(
    ("error", "code"),
    [(InputError("wrong", details="a.ks:1: x", mend="do y"), 2), (TryAgainError("away"), 75)],
)
def test_an_error_is_words_and_an_exit_code(
    error: InputError | TryAgainError,
    code: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(cli, "build", fail)
    monkeypatch.setattr(cli.signal, "signal", lambda *_: None)
    monkeypatch.setattr("sys.argv", ["node-image", "build", "x.ks", "--output", "out"])
    assert cli.main() == code
    said = capsys.readouterr().err
    assert f"node-image: {error.brief}\n" in said
    assert "Traceback" not in said
    if error.details:
        assert "    a.ks:1: x\n  -> do y\n" in said


def test_an_interruption(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "build", interrupt)
    monkeypatch.setattr(cli.signal, "signal", lambda *_: None)
    monkeypatch.setattr("sys.argv", ["node-image", "build", "x.ks", "--output", "out"])
    assert cli.main() == 130
    assert "nothing half-made is left" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (OSError(28, "No space left on device", "/big/out"), 1, "/big/out: No space left on device"),
        (ZeroDivisionError("oops"), 70, "a bug of ours (ZeroDivisionError)"),
    ],
)
def test_no_error_shows_a_traceback(
    error: Exception,
    code: int,
    words: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fail(*_: object) -> None:
        raise error

    logged: list[str] = []
    monkeypatch.setattr(cli, "append_to_log", lambda text: logged.append(text) or Path("/state/log"))
    monkeypatch.setattr(cli, "build", fail)
    monkeypatch.setattr(cli.signal, "signal", lambda *_: None)
    monkeypatch.setattr("sys.argv", ["node-image", "build", "x.ks", "--output", "out"])
    assert cli.main() == code
    said = capsys.readouterr().err
    assert f"node-image: {words}\n" in said
    assert "Traceback" not in said
    assert bool(logged) == (code == 70)


@pytest.mark.parametrize(
    "words", [["--http-port", "99999"], ["--tftp-port", "-1"], ["--http-port", "0", "--tftp-port", "70000"]]
)
def test_a_port_that_is_none(words: list[str]) -> None:
    result = CliRunner().invoke(cli.cli, ["serve", "x", *words])
    assert result.exit_code == 2
    assert "is not in the range" in result.output


def test_wrong_usage(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cli.signal, "signal", lambda *_: None)
    monkeypatch.setattr("sys.argv", ["node-image", "build", str(Path("x.ks"))])
    assert cli.main() == 2


def test_a_copy_of_the_iso_never_replaces_the_image_s_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = tmp_path / "node.iso"
    own.write_text("iso")
    monkeypatch.setattr(cli, "read_boot", lambda _: Boot("NODE", "0" * 64, 1, "", 1, "node"))
    monkeypatch.setattr(cli.iso, "remaster", lambda *_, **__: pytest.fail("it was written"))
    with pytest.raises(InputError, match="the image's own ISO"):
        CliRunner().invoke(cli.cli, ["iso", str(tmp_path), "-o", str(own)], catch_exceptions=False)
    assert own.read_text() == "iso"


def test_answers_that_a_node_would_refuse_are_told_when_they_are_handed_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "node.iso").write_text("iso")
    (tmp_path / "a.yaml").write_text("version: 1\ninstal: {mode: unattended}\n")
    copied: list[Path] = []
    monkeypatch.setattr(cli, "read_boot", lambda _: Boot("NODE", "0" * 64, 1, "", 1, "node"))
    monkeypatch.setattr(cli.iso, "remaster", lambda _, output, *__, **___: copied.append(output))
    words = ["iso", str(tmp_path), "-o", str(tmp_path / "x.iso"), "--answers", str(tmp_path / "a.yaml")]
    (tmp_path / "x.iso").write_text("older")
    result = CliRunner().invoke(cli.cli, words)
    assert copied == [tmp_path / "x.iso"]
    assert "note: instal: is no section of the answers" in result.output
    assert "line 2). Did you mean install?" in result.output


def test_a_second_stop_does_not_disturb_what_is_cleared_away(monkeypatch: pytest.MonkeyPatch) -> None:
    handlers: dict[int, object] = {}
    monkeypatch.setattr(cli.signal, "signal", handlers.__setitem__)
    monkeypatch.setattr(cli, "build", lambda *_: cli._stop(signal.SIGINT, None))
    monkeypatch.setattr("sys.argv", ["node-image", "build", "x.ks", "--output", "out"])
    assert cli.main() == 130
    assert handlers == {signal.SIGINT: signal.SIG_IGN, signal.SIGTERM: signal.SIG_IGN}


def test_without_its_libraries_it_names_the_extra(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delitem(sys.modules, "image.cli")
    monkeypatch.setitem(sys.modules, "rich.console", None)
    monkeypatch.delattr("image.cli")
    assert program.main() == 1
    assert capsys.readouterr().err.splitlines() == [
        "node-image: rich is not installed here",
        "  -> install nodecrust with the extra image: pip install 'nodecrust[image]'",
    ]


def test_only_a_library_that_is_missing_is_explained_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cli, "main", lambda: 7)
    assert program.main() == 7
    monkeypatch.setitem(sys.modules, "image.cli", None)
    with pytest.raises(ModuleNotFoundError):
        program.main()


def test_a_key_alone_is_enough_and_the_help_says_so() -> None:
    assert "[PLUGIN]..." in CliRunner().invoke(cli.cli, ["add-plugin", "--help"]).output
