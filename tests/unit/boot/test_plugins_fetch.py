"""The fetching of a bundle of plugins: the initrd's real script and the real curl, never a reason to stop."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.boot.initrd_shell import InitrdShell
from tests.unit.boot.range_server import Faults, RangeServer

pytestmark = pytest.mark.effects("processes", "sockets")

BUNDLE = bytes(range(256)) * 100


@pytest.fixture
def shell(tmp_path: Path) -> InitrdShell:
    machine = InitrdShell(tmp_path / "machine")
    machine.program("sleep", "exec /bin/sleep 0.02")
    return machine


@pytest.fixture
def www(tmp_path: Path) -> Path:
    folder = tmp_path / "www"
    folder.mkdir()
    (folder / "b").write_bytes(BUNDLE)
    (folder / "b.sig").write_bytes(b"s" * 64)
    return folder


def obtain(shell: InitrdShell, url: str, *, kind: str = "url", sha256: str = "", more: str = "") -> str:
    script = (
        f"PLUGINS={url} PLUGINS_SHA256={sha256} IMAGE_KIND={kind}\nwrite_resolv_conf() {{ :; }}\n{more}\n"
    )
    said = shell.run(f"{script}obtain_plugins; echo done")
    assert said.stdout.endswith("done\n"), said.stdout + said.stderr
    assert said.stderr == ""
    return said.stdout


def left(shell: InitrdShell) -> dict[str, bytes]:
    folder = shell.folder / "run/plugin-bundle"
    return {path.name: path.read_bytes() for path in folder.iterdir()} if folder.exists() else {}


def test_nothing_is_asked_for(shell: InitrdShell) -> None:
    assert obtain(shell, "") == "done\n"
    assert left(shell) == {}


def test_both_files(shell: InitrdShell, www: Path) -> None:
    with RangeServer(www) as server:
        url = server.url.replace("//", "//me:s3cret@")
        said = obtain(shell, f"{url}/b", sha256="a" * 64)
        asked = f"{server.url}/b\n"
    found = left(shell)
    assert (found["bundle"], found["bundle.sig"]) == (BUNDLE, b"s" * 64)
    assert found["asked"].decode() == asked
    assert found["sha256"] == b"a" * 64 + b"\n"
    assert "failed" not in found
    assert "s3cret" not in said + shell.console()


def test_a_server_that_says_no_for_a_while(shell: InitrdShell, www: Path) -> None:
    with RangeServer(www, Faults(statuses=[503, 503])) as server:
        obtain(shell, f"{server.url}/b")
    assert left(shell)["bundle"] == BUNDLE


@pytest.mark.parametrize("gone", ["b", "b.sig"])
def test_not_there(shell: InitrdShell, www: Path, gone: str) -> None:
    (www / gone).unlink()
    with RangeServer(www) as server:
        said = obtain(shell, f"{server.url}/b")
        assert len(server.served.requests) <= 2
        assert f"404 ({server.url}/{gone})" in said
    assert set(left(shell)) == {"asked", "failed"}
    assert "No plugin is loaded from" in shell.console()
    assert left(shell)["failed"].startswith(b"can't be fetched: ")


def test_a_dead_server(shell: InitrdShell) -> None:
    said = obtain(shell, "http://127.0.0.1:1/b")
    assert "Failed to connect" in said or "Could" in said
    assert "failed" in left(shell)


def test_too_big(shell: InitrdShell, www: Path) -> None:
    with RangeServer(www) as server:
        said = obtain(shell, f"{server.url}/b", more="PLUGINS_BYTES=20000")
        assert len(server.served.requests) == 1
    assert "has more than 0.0 MB" in said
    assert "bundle" not in left(shell)


@pytest.mark.parametrize("url", ["b", "file:///etc/shadow", "ftp://h/b", "http://"])
def test_other_forms(shell: InitrdShell, url: str) -> None:
    assert "is of no known form" in obtain(shell, url)
    assert set(left(shell)) == {"asked", "failed"}


def test_a_pin_that_is_none(shell: InitrdShell) -> None:
    assert "that has 64 hexadecimal digits" in obtain(shell, "http://127.0.0.1:1/b", sha256="abc")


def test_a_node_on_its_own_disk(shell: InitrdShell) -> None:
    assert "not fetched by a node that starts from its own disk" in obtain(shell, "http://h/b", kind="slot")


def test_a_medium_brings_the_network_up(shell: InitrdShell, www: Path) -> None:
    up = f'start_network() {{ printf "Iface\\neth0\\n" >{shell.folder}/proc/net/route; }}'
    shell.write("proc/net/route", "Iface\n")
    with RangeServer(www) as server:
        obtain(shell, f"{server.url}/b", kind="medium", more=up)
    assert left(shell)["bundle"] == BUNDLE


def test_a_medium_without_a_network(shell: InitrdShell) -> None:
    shell.write("proc/net/route", "Iface\n")
    more = "start_network() { :; }\nPLUGINS_ADDRESS_S=0"
    assert "no network address after 0 s" in obtain(shell, "http://h/b", kind="medium", more=more)
    assert "failed" in left(shell)


def test_the_command_line(shell: InitrdShell) -> None:
    shell.write(
        "proc/cmdline", f"node.image=LABEL=N node.plugins=http://h/b node.plugins.sha256={'A' * 64}\n"
    )
    said = shell.run('read_request\necho "$PLUGINS $PLUGINS_SHA256 ${#REQUEST_PROBLEMS[@]}"')
    assert said.stdout == f"http://h/b {'a' * 64} 0\n"
