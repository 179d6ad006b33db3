from __future__ import annotations

import os
import socket
import subprocess
from pathlib import Path

import pytest

from node.testing.guard import ForbiddenEffectError


def test_processes_are_forbidden_even_where_every_exception_is_handled():
    with pytest.raises(ForbiddenEffectError):  # noqa: PT012 - the handler is what is tested
        try:
            subprocess.run(["true"], check=True)
        except Exception:
            pytest.fail("swallowed")


def test_sockets_are_forbidden():
    with pytest.raises(ForbiddenEffectError), socket.socket() as connection:
        connection.connect(("127.0.0.1", 9))


@pytest.mark.parametrize("path", ["/etc/nodecrust-test", "nodecrust-test"])
def test_writes_outside_temporary_folders_are_forbidden(path: str):
    with pytest.raises(ForbiddenEffectError):
        Path(path).write_text("x")
    with pytest.raises(ForbiddenEffectError):
        os.open(path, os.O_WRONLY | os.O_CREAT)


def test_temporary_folders_may_be_written(tmp_path: Path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "file").write_text("x")
    (tmp_path / "folder" / "file").unlink()


@pytest.mark.effects("processes")
def test_what_really_must_says_so():
    assert subprocess.run(["true"], check=True).returncode == 0
