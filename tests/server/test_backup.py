"""Backup and restoring, by the commands that docs/registration.md has."""

from __future__ import annotations

import shutil
import signal
import subprocess
import textwrap
from configparser import ConfigParser
from pathlib import Path

from node.errors import InputError
from server.cli import run
from tests.server.forked import ForkedServer

PAGE = Path(__file__).parents[2] / "docs" / "registration.md"


def _commands(after: str) -> str:
    """Give the block of commands that follows some words on the page."""
    lines = PAGE.read_text().split(after, 1)[1].splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith("    "))
    end = next(number for number in range(start, len(lines)) if not lines[number].startswith("    "))
    return "\n".join(line.strip() for line in lines[start:end])


def _type(commands: str, data: Path, backup: Path) -> None:
    commands = commands.replace("/var/lib/node-server", str(data)).replace("/backup", str(backup))
    # What systemctl does here is the test's own to do.
    subprocess.run(["bash", "-euc", f"systemctl() {{ :; }}\n{commands}"], check=True, timeout=60)


def test_the_documented_unit_starts_with_the_machine_and_after_its_network() -> None:
    text = PAGE.read_text().split("nothing more than a service:", 1)[1].split("Without a terminal", 1)[0]
    unit = ConfigParser(interpolation=None)
    unit.optionxform = str  # type: ignore[method-assign,assignment]
    unit.read_string(textwrap.dedent(text))
    assert unit["Unit"]["After"] == unit["Unit"]["Wants"] == "network-online.target"
    assert unit["Install"]["WantedBy"] == "multi-user.target"
    # What was asked for can't be: asking again and again doesn't help.
    assert unit["Service"]["RestartPreventExitStatus"] == str(InputError.exit_code)
    arguments = unit["Service"]["ExecStart"].split()[1:]
    assert arguments[0] == "run"
    assert run.command.make_context("run", arguments[1:]).params["data"] == Path("/var/lib/node-server")


def test_the_documented_commands_restore_every_node(tmp_path: Path) -> None:
    """The server died in the middle: what it wrote since the backup lies in a -wal beside its database."""
    backup = tmp_path / "backup"
    backup.mkdir()
    server = ForkedServer(tmp_path, f"sqlite:///{tmp_path / 'data' / 'node-server.db'}")
    server.start()
    nodes = [server.active_node() for _ in range(3)]
    _type(_commands("of SQLite:"), server.data, backup)
    shutil.copy(server.ca.with_name("ca.pem"), backup)

    server.cli("nodes", "retire", str(nodes[0].node_id))
    later = server.active_node()
    server.stop(signal.SIGKILL)
    assert (server.data / "node-server.db-wal").stat().st_size > 0
    (server.data / "admin-token").write_text("nca_of-another-database\n")
    shutil.rmtree(server.data / "ca")

    _type(_commands("SQLite is restored"), server.data, backup)
    assert not (server.data / "admin-token").exists()
    (server.data / "ca").mkdir(mode=0o700)
    shutil.copy(backup / "ca.pem", server.data / "ca")
    server.start()
    assert {node["id"] for node in server.json("nodes", "list")} == {node.node_id for node in nodes}
    for node in (*nodes, later):
        node.url = server.url
    assert [node.heartbeat().status_code for node in nodes] == [200] * 3
    assert later.heartbeat().json()["code"] == "certificate-refused"
    assert server.stop() == 0
