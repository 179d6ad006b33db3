"""A PostgreSQL of one's own: made in a folder, owned by a user without rights, reached by a socket there."""

from __future__ import annotations

import contextlib
import ctypes
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import psycopg

_PR_SET_PDEATHSIG = 1
_START_S = 60


def programs() -> Path | None:
    """Give the folder of Debian's newest PostgreSQL, None where there is none."""
    found = [path for path in Path("/usr/lib/postgresql").glob("*/bin") if (path / "initdb").exists()]
    return max(found, key=lambda path: int(path.parent.name), default=None)


@contextlib.contextmanager
def cluster(*, durable: bool = False) -> Iterator[Cluster]:
    """Run a cluster until the block ends; nothing of it is left. Only a `durable` one waits for its disk."""
    bin_folder = programs()
    assert bin_folder is not None, "tools/setup installs postgresql"
    # A socket's path has 107 characters at most, so that pytest's own folders are too deep.
    folder = Path(tempfile.mkdtemp(prefix="nodecrust-pg-"))
    user = "postgres" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
    if os.geteuid() == 0:
        shutil.chown(folder, user)
    as_user = (
        {"user": user, "group": pwd.getpwnam(user).pw_gid, "extra_groups": []} if os.geteuid() == 0 else {}
    )
    log = folder / "log"
    try:
        subprocess.run(
            [bin_folder / "initdb", "--pgdata", folder / "data", "--username", user, "--auth", "trust",
             "--encoding", "UTF8", "--locale", "C.UTF-8", "--no-sync"],
            check=True, capture_output=True, cwd=folder, **as_user,
        )  # fmt: skip
        with log.open("wb") as output:
            process = subprocess.Popen(
                [bin_folder / "postgres", "-D", folder / "data", "-k", folder, "-c", "listen_addresses=",
                 "-c", f"fsync={'on' if durable else 'off'}", "-c", "max_connections=200"],
                stdout=output, stderr=output, cwd=folder, preexec_fn=_die_with_parent, **as_user,  # noqa: PLW1509 - it takes no lock
            )  # fmt: skip
        found = Cluster(folder, user)
        try:
            found.wait(process, log)
            yield found
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(30)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class Cluster:
    """Databases on demand."""

    def __init__(self, folder: Path, user: str) -> None:
        self._folder, self._user = folder, user

    def new_database(self) -> str:
        """Make an empty database and give its URL."""
        name = f"n{uuid4().hex}"
        with psycopg.connect(self._text("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        return f"postgresql://{self._user}@/{name}?host={self._folder}"

    def wait(self, process: subprocess.Popen[bytes], log: Path) -> None:
        end = time.monotonic() + _START_S
        while True:
            try:
                psycopg.connect(self._text("postgres")).close()
            except psycopg.OperationalError:
                assert process.poll() is None, log.read_text()
                assert time.monotonic() < end, log.read_text()
                time.sleep(0.1)
            else:
                return

    def _text(self, name: str) -> str:
        return f"host={self._folder} user={self._user} dbname={name}"


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
