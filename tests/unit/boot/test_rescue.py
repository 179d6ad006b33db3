"""What the initrd's shell does where `nodectl boot` fails: the last good start, else DHCP and stored keys."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from node.boot.last_good import access_text
from node.model.state import RenderedFile
from tests.unit.boot.initrd_shell import LIB, InitrdShell

pytestmark = pytest.mark.effects("processes")

PASSWD = "root:x:0:0:root:/root:/bin/bash\ndaemon:x:1:1::/:/bin/false\n"
ADMIN = "admin:x:1000:1000:admin:/home/admin:/bin/bash\n"
FILES = [
    RenderedFile("/etc/passwd", ADMIN, append=True),
    RenderedFile("/etc/group", "admin:x:1000:\nsudo:x:27:admin\n", append=True),
    RenderedFile("/etc/shadow", "admin:$y$j9T$ab\\cd:0:::::\n", mode=0o640, append=True),
    RenderedFile("/etc/ssh/authorized_keys.d/admin", "# ours\n\nssh-ed25519 AAAA me\n"),
    RenderedFile("/etc/sudoers.d/90-nodecrust", "admin ALL=(ALL:ALL) ALL\n", mode=0o440),
]


@pytest.fixture
def shell(tmp_path: Path) -> InitrdShell:
    machine = InitrdShell(tmp_path / "machine")
    machine.write("sysroot/etc/passwd", PASSWD)
    machine.write("sysroot/etc/group", "root:x:0:\nsudo:x:27:\n")
    machine.write("sysroot/etc/shadow", "root:*:0:::::\n").chmod(0o640)
    machine.write("sysroot/usr/bin/nodectl", "").chmod(0o755)
    machine.program("mount", "exit 0")
    return machine


def with_last_good(shell: InitrdShell) -> None:
    shell.write("sysroot/config/last-good.json", "{}")
    shell.write("sysroot/config/last-good.access", access_text(FILES))
    shell.write("sysroot/config/ssh/ssh_host_ed25519_key", "secret\n")
    shell.write("sysroot/config/ssh/ssh_host_ed25519_key.pub", "public\n")


def check_access(shell: InitrdShell) -> None:
    etc = shell.folder / "sysroot/etc"
    assert (etc / "passwd").read_text() == PASSWD + ADMIN
    assert (etc / "group").read_text() == "root:x:0:\nsudo:x:27:admin\nadmin:x:1000:\n"
    assert (etc / "shadow").read_text() == "root:*:0:::::\nadmin:$y$j9T$ab\\cd:0:::::\n"
    assert (etc / "shadow").stat().st_mode & 0o777 == 0o640
    assert (etc / "ssh/authorized_keys.d/admin").read_text() == "# ours\n\nssh-ed25519 AAAA me\n"
    assert (etc / "sudoers.d/90-nodecrust").stat().st_mode & 0o777 == 0o440
    assert (etc / "ssh/ssh_host_ed25519_key").read_text() == "secret\n"
    assert (etc / "ssh/ssh_host_ed25519_key").stat().st_mode & 0o777 == 0o600


def render(shell: InitrdShell, *, nodectl: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run nodecrust-render.sh; `nodectl` is a script in place of `chroot ROOT nodectl boot ARGUMENTS`."""
    shell.program("chroot", f"shift 3\n{nodectl}")
    shell.environment.update(NODECRUST_INITRD=str(LIB), **environment)
    return shell.run(f"bash {LIB.parent}/nodecrust-render.sh")


def test_the_shell_lets_people_in_by_itself(shell: InitrdShell) -> None:
    with_last_good(shell)
    for _ in range(2):
        said = shell.run("restore_access")
        assert (said.returncode, said.stderr) == (0, "")
        check_access(shell)


@pytest.mark.parametrize(
    "text",
    [
        "file 0644 /etc/../x\n y\n",
        "file 0644 /root/x\n y\n",
        "file x /etc/x\n y\n",
        " y\n",
        "what 0644 /etc/x\n",
    ],
)
def test_nonsense_in_the_record_is_passed_over(shell: InitrdShell, text: str) -> None:
    shell.write("sysroot/config/last-good.access", text)
    before = sorted((shell.folder / "sysroot").rglob("*"))
    assert shell.run("restore_access").stderr == ""
    after = sorted((shell.folder / "sysroot").rglob("*"))
    assert [path for path in after if path not in before and path.name != "ssh"] == []


def test_a_good_start_needs_nothing_else(shell: InitrdShell) -> None:
    with_last_good(shell)
    said = render(shell, nodectl='[[ $* == "" ]]')
    assert (said.returncode, said.stderr) == (0, "")
    assert not (shell.folder / "run/alarms").exists()
    assert list((shell.folder / "networks").iterdir()) == []


@pytest.mark.parametrize(
    ("nodectl", "why"),
    [
        ('[[ $* == --last-good ]] || { echo "no module"; exit 70; }', "no module"),
        (
            "[[ $* == --last-good ]] || { printf 'x\\nnodectl: no network\\n  more\\n'; exit 1; }",
            "(no network)",
        ),
        ("[[ $* == --last-good ]] || exit 3", "exit status 3"),
        ("[[ $* == --last-good ]] || kill -9 $$", "it was killed"),
        ("[[ $* == --last-good ]] || exec sleep 30", "it took longer than 1 s"),
    ],
)
def test_where_rendering_fails_the_last_good_start_comes_back(
    shell: InitrdShell, nodectl: str, why: str
) -> None:
    with_last_good(shell)
    render(shell, nodectl=nodectl, RENDER_TIMEOUT_S="1")
    alarm = (shell.folder / "run/alarms").read_text()
    assert why in alarm
    assert "starts as it last started well" in alarm
    assert alarm.count("\n") == 1
    assert "ALARM" in shell.console()
    assert list((shell.folder / "networks").iterdir()) == []


@pytest.mark.parametrize("nodectl", ["echo broken; exit 1", "exec sleep 30"])
def test_where_that_fails_too_there_are_dhcp_and_the_stored_keys(shell: InitrdShell, nodectl: str) -> None:
    with_last_good(shell)
    said = render(shell, nodectl=nodectl, RENDER_TIMEOUT_S="1", LAST_GOOD_TIMEOUT_S="1")
    assert said.returncode == 0
    check_access(shell)
    text = (shell.folder / "networks/90-nodecrust-fallback.network").read_text()
    assert "DHCP=yes" in text
    assert "ClientIdentifier=mac" in text
    wants = shell.folder / "run/systemd/system/multi-user.target.wants/systemd-networkd.service"
    assert wants.is_symlink()
    assert "DHCP and the accounts of its last good start" in (shell.folder / "run/alarms").read_text()


def test_a_node_that_never_started_well_has_dhcp(shell: InitrdShell) -> None:
    render(shell, nodectl="echo broken; exit 1")
    assert (shell.folder / "networks/90-nodecrust-fallback.network").exists()
    alarm = (shell.folder / "run/alarms").read_text()
    assert "(broken); the node starts with DHCP. " in alarm


@pytest.mark.parametrize(("began", "limit"), [("2", 30), ("10", 30), ("25", 75), ("90", 120), ("", 30)])
def test_a_slow_machine_is_given_more_time(shell: InitrdShell, began: str, limit: int) -> None:
    shell.write("run/pace", f"{began}\n" if began else "")
    said = shell.run("patience 30")
    assert (said.stdout, said.stderr) == (f"{limit}\n", "")


def test_the_pace_is_taken_once_before_anything_is_waited_for(shell: InitrdShell) -> None:
    shell.write("proc/uptime", "7.93 3.11\n")
    shell.run("note_pace")
    shell.write("proc/uptime", "300.00 3.11\n")
    shell.run("note_pace")
    assert (shell.folder / "run/pace").read_text() == "7\n"
