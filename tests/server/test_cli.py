"""The command line: exit codes, words, JSON; starting from nothing and from what was there."""

from __future__ import annotations

import json
import os
import pty
import signal
import ssl
import stat
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from cryptography import x509

from node.model.registration import KERNEL_TOKEN
from server.cli.main import node_server, run_command
from server.models import Base
from tests.server.running import Server


def _commands(group: click.Group, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    found = [path]
    for name, command in group.commands.items():
        found += _commands(command, (*path, name)) if isinstance(command, click.Group) else [(*path, name)]
    return found


@pytest.mark.parametrize("path", _commands(node_server), ids=" ".join)
def test_help_fits_80_columns(path: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command([*path, "--help"]) == 0
    text = capsys.readouterr().out
    assert text.startswith("Usage: node-server")
    assert max(map(len, text.splitlines())) <= 80
    # Everything that can be asked for is explained.
    command: click.Command = node_server
    for name in path:
        assert isinstance(command, click.Group)
        command = command.commands[name]
    for parameter in command.params:
        assert not isinstance(parameter, click.Option) or parameter.help, parameter.name


@pytest.mark.parametrize(
    "arguments",
    [
        ["token", "create", "--ttl", "soon"],
        ["token", "create", "--ttl", "0s"],
        ["token", "create", "--ttl", "9999d"],
        ["token", "create", "--uses", "0"],
        ["token", "create", "--pool", "../x"],
        ["token", "create", "--bind-uuid", "x"],
        ["token", "create", "--bind-mac", "x"],
        ["token", "create", "--bind-uuid", ""],
        ["token", "create", "--bind-mac", ""],
        ["token", "create", "--bind-uuid", "00000000-0000-0000-0000-000000000000"],
        ["token", "create", "--bind-uuid", "03000200-0400-0500-0006-000700080009"],
        ["token", "create", "--bind-mac", "00:00:00:00:00:00"],
        ["token", "create", "--bind-mac", "01:00:5e:00:00:01"],
        ["token", "create", "--kernel-argument"],
        ["token", "create", "--kernel-argument", "--ttl", "2h", "--bind-mac", "52:54:00:00:00:01"],
        ["token", "revoke", "t-00000000"],
        ["nodes", "show", "nobody"],
        ["nodes", "list", "--state", "lost"],
        ["nodes", "rebind", "nobody", "--key", "xyz"],
        ["config", "show"],
        ["config", "show", "--node", "a", "--pool", "b"],
        ["proxy", "create", "../x", "--host", "a", "--output", "/nonexistent/x"],
        ["proxy", "create", "x", "--host", "a b", "--output", "/nonexistent/x"],
        ["events", "--last", "0"],
        ["nonsense"],
        ["run", "--listen", "nowhere:port"],
        ["run", "--listen", "192.0.2.1:1"],
        ["run", "--name", "no name"],
    ],
    ids=" ".join,
)
def test_wrong_usage_is_2_with_words(server: Server, arguments: list[str]) -> None:
    said = server.cli(*arguments, code=2)
    assert said.strip()
    assert "Traceback" not in said


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("nonsense", "can't be read"),
        ("mysql://x/y", "not known here"),
        ("sqlite:////nonexistent/dir/x.db", "/nonexistent/dir"),
        ("sqlite://", "the path of a file"),
        ("sqlite:///:memory:", "the path of a file"),
        ("sqlite:////etc/passwd", "/etc/passwd is no database"),
        ("sqlite:////etc", "/etc is a folder"),
        ("sqlite:////tmp/x.db?mode=ro", "a path and nothing else"),
        ("postgresql://u:geheim@/x?nonsense=1", "nonsense"),
        ("postgresql://u:geheim@/x?connect_timeout=soon", "options"),
        ("postgresql://u:geheim@host:notaport/x", "can't be read"),
        ("postgresql://u:geheim@host:99999/x", "99999"),
    ],
)
def test_databases_that_are_none(
    tmp_path: Path, url: str, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    data = tmp_path / "data"
    for arguments in (["nodes", "list"], ["run", "--listen", "127.0.0.1:0"]):
        assert run_command([*arguments, "--database", url, "--data", str(data)]) == 2
        said = capsys.readouterr()
        assert "  -> " in said.err
        assert "geheim" not in said.err + said.out
        assert "Traceback" not in said.err
        assert not (data / "ca").exists()
    # What only looks makes nothing at all.
    assert run_command(["nodes", "list", "--database", "", "--data", str(tmp_path / "none")]) == 2
    assert not (tmp_path / "none").exists()


def test_a_database_that_is_away_is_75_and_keeps_its_password(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    url = "postgresql://me:geheim-geheim@127.0.0.1:1/x"
    for arguments in (["nodes", "list"], ["run", "--listen", "127.0.0.1:0"]):
        assert run_command([*arguments, "--database", url, "--data", str(tmp_path)]) == 75
        said = capsys.readouterr()
        assert "can't be reached" in said.err
        assert "geheim" not in said.err + said.out


def test_errors_as_json(server: Server) -> None:
    said = json.loads(server.cli("nodes", "show", "nobody", "--json", code=2))
    assert said["error"]["exit_code"] == 2
    assert "no node" in said["error"]["brief"]


def test_a_token_is_shown_once_alone_on_its_line(server: Server) -> None:
    lines = server.cli("token", "create", "--pool", "alone").splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("nct_")
    assert lines[0] not in server.cli("token", "list") + server.cli("events")
    good = ["--kernel-argument", "--bind-mac", "52:54:00:00:00:01"]
    assert server.cli("token", "create", *good, "--ttl", "1h").startswith(KERNEL_TOKEN)


def test_how_long_a_token_is_good_unless_it_is_said(server: Server) -> None:
    for hours, more in ((24, []), (1, ["--kernel-argument", "--bind-mac", "52:54:00:00:00:01"])):
        until = datetime.fromisoformat(server.json("token", "create", *more)["expires_at"])
        left = until - datetime.now(UTC)
        assert timedelta(hours=hours, seconds=-60) < left <= timedelta(hours=hours)


def test_nodes_are_found_by_name_and_beginning(server: Server) -> None:
    first, second = server.node(), server.node()
    token = server.token("--uses", "2", "--pool", "found")
    first.enroll(token, name="twin")
    second.enroll(token, name="twin")
    said = server.cli("nodes", "approve", "twin", code=2)
    assert "more than one node" in said
    assert f"{first.node_id} pending" in said
    assert f"{second.node_id} pending" in said
    assert str(first.node_id) in server.cli("nodes", "show", str(first.node_id)[:13])
    listed = server.json("nodes", "list", "--pool", "found", "--state", "pending")
    assert {node["id"] for node in listed} == {first.node_id, second.node_id}
    assert "found" in server.cli("pools")
    pool = next(entry for entry in server.json("pools") if entry["pool"] == "found")
    assert pool["nodes"]["pending"] == 2
    server.cli("nodes", "reject", str(first.node_id))
    # A machine that was installed again has the name of the one that was retired.
    assert str(second.node_id) in server.cli("nodes", "approve", "twin")
    assert str(first.node_id) in server.cli("nodes", "show", str(first.node_id).upper())
    assert "at least 4 characters" in server.cli("nodes", "show", "e9d", code=2)
    assert "at least" not in server.cli("nodes", "show", "e9dx", code=2)


def test_what_nodes_send_does_nothing_to_a_terminal(server: Server) -> None:
    node = server.active_node()
    node.heartbeat(state={"evil": "\x1b]0;owned\x07\x1b[2J"})
    body = {"generation": 1, "result": "applied", "words": "a\nb"}
    node.send("POST", "config/report", json=body)
    shown = server.cli("nodes", "show", str(node.node_id)) + server.cli("events")
    assert "owned" in shown
    assert "\x1b" not in shown
    assert "\x07" not in shown


def test_a_restart_keeps_the_ca_and_everybody(own_server: Server) -> None:
    node = own_server.active_node()
    ca = own_server.ca.read_bytes()
    assert own_server.stop(signal.SIGINT) == 0
    own_server.start()
    node.url = own_server.url
    assert own_server.ca.read_bytes() == ca
    assert node.heartbeat().status_code == 200
    # The admin token is made once.
    made = [event for event in own_server.events() if event["kind"] == "admin-token"]
    assert len(made) == 1


def test_the_servers_certificate_has_the_names_that_are_asked_for(own_server: Server) -> None:
    def names() -> list[str]:
        pem = (own_server.data / "ca" / "server.pem").read_bytes()
        alternative = x509.load_pem_x509_certificate(pem).extensions.get_extension_for_class(
            x509.SubjectAlternativeName
        )
        return [str(name.value) for name in alternative.value]

    assert {"localhost", "127.0.0.1", "::1"} <= set(names())
    own_server.stop()
    own_server.options = ("--name", "nodes.example", "--name", "192.0.2.7")
    own_server.start()
    assert {"nodes.example", "192.0.2.7"} <= set(names())


def test_files_are_their_owners_alone(server: Server) -> None:
    for path in (server.data, server.data / "ca"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o700
    for path in (server.data / "ca").iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path


def test_a_broken_ca_is_never_replaced(own_server: Server) -> None:
    own_server.stop()
    path = own_server.data / "ca" / "ca.pem"
    whole = path.read_bytes()
    for broken in (b"", whole[:300], whole[len(whole) // 2 :]):
        path.write_bytes(broken)
        said = own_server.cli("run", "--listen", "127.0.0.1:0", code=1)
        assert "can't be read" in said
        assert path.read_bytes() == broken
    path.write_bytes(whole)
    # Its children are made anew.
    (own_server.data / "ca" / "signer.pem").write_bytes(b"x")
    own_server.start()


def test_the_migrations_make_what_the_models_say(server: Server) -> None:
    with server.database() as database, database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []
        assert context.get_current_revision() == "0002"


def test_a_database_of_a_newer_server_is_refused(own_server: Server) -> None:
    own_server.stop()
    with own_server.database() as database, database.write() as session:
        from sqlalchemy import text

        session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    assert "newer" in own_server.cli("run", "--listen", "127.0.0.1:0", code=2)


def test_it_runs_as_a_program_and_shows_a_terminal_the_admin_token(tmp_path: Path) -> None:
    program = Path(sys.executable).parent / "node-server"
    terminal, its_end = pty.openpty()
    process = subprocess.Popen(
        [program, "run", "--data", tmp_path / "d", "--listen", "127.0.0.1:0"],
        stdin=its_end, stdout=its_end, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    os.close(its_end)
    said = b""
    while b"ready https://127.0.0.1:" not in said:
        said += os.read(terminal, 4096)
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 0
    os.close(terminal)
    assert b"admin token, shown this once: nca_" in said
    assert not (tmp_path / "d" / "admin-token").exists()


def test_a_closed_pipe_is_no_error(server: Server) -> None:
    program = [sys.executable, "-m", "server", "events", *server.where]
    read, write = os.pipe()
    os.close(read)
    try:
        done = subprocess.run(
            program, check=False, stdout=write, stderr=subprocess.PIPE, text=True, timeout=60
        )
    finally:
        os.close(write)
    assert "Traceback" not in done.stderr
    assert "Exception" not in done.stderr


def test_the_ca_is_not_made_by_looking(tmp_path: Path) -> None:
    assert run_command(["ca", "show", "--data", str(tmp_path / "none")]) == 2
    assert not (tmp_path / "none").exists()


def test_the_ca_as_a_file(server: Server) -> None:
    pem = server.cli("ca", "show", "--pem")
    context = ssl.create_default_context(cadata=pem)
    assert len(context.get_ca_certs()) == 1
    assert server.json("ca", "show")["fingerprint"] in server.cli("ca", "show")


def test_a_pool_of_nothing_is_told_with_the_nearest(
    server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    server.token("--pool", "racks-in-brno")
    file = tmp_path / "document.yaml"
    file.write_text("logging: {server: a}\n")

    def note(pool: str) -> str:
        capsys.readouterr()
        assert run_command(["config", "set", "--pool", pool, str(file), *server.where]) == 0
        return capsys.readouterr().err

    assert note("racks-in-brno") == ""
    assert "did you mean racks-in-brno?" in note("racks-in-bron")
    assert "no node and no token is of the pool" in note("of-tomorrow-altogether")
