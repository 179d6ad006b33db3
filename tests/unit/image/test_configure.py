"""The kickstart's directives in the tree, and as the image's answers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
import yaml

from image import answers
from image.configure import configure
from image.finish import remove_traces
from image.kickstart import Kickstart
from image.password import deterministic_hash
from node.errors import CommandFailedError, InputError
from node.system.commands import LiveCommands
from tests.unit.image.conftest import HASH, KEY, KickstartText

# The tree's links point to absolute paths, which the guard takes for writes there.
pytestmark = pytest.mark.effects("writes")


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    root = tmp_path / "tree"
    for folder in ("etc/ssh", "usr/share/zoneinfo/Europe", "usr/lib/systemd/system", "var/lib/dbus", "root"):
        (root / folder).mkdir(parents=True)
    (root / "usr/share/zoneinfo/Europe/Berlin").write_text("TZ")
    (root / "usr/lib/systemd/system/ssh.service").write_text("")
    (root / "etc/ssh/ssh_host_rsa_key").write_text("secret")
    (root / "etc/machine-id").write_text("0123")
    return root


def apply(tree: Path, ks: Kickstart) -> list[list[str]]:
    calls: list[list[str]] = []

    def inside(argv: Sequence[str]) -> str:
        calls.append(list(argv))
        return ""

    configure(tree, ks, inside)
    return calls


def test_every_image_starts_as_nobody(tree: Path, kickstart: KickstartText) -> None:
    calls = apply(tree, kickstart("%packages\n%end\n"))
    assert (tree / "etc/machine-id").read_text() == ""
    assert list((tree / "etc/ssh").iterdir()) == []
    assert (tree / "etc/fstab").read_text() == ""
    assert (tree / "etc/systemd/system/systemd-firstboot.service").readlink() == Path("/dev/null")
    assert not (tree / "etc/hostname").exists()
    assert (tree / "etc/locale.conf").read_text() == "LANG=C.UTF-8\n"
    assert calls == [["usermod", "-p", "*", "root"]]
    assert yaml.safe_load((tree / "usr/lib/nodecrust/answers.yaml").read_text()) == {"version": 1}


def test_what_the_kickstart_says(tree: Path, kickstart: KickstartText) -> None:
    ks = kickstart(
        "keyboard --xlayouts='de (nodeadkeys)'\ntimezone Europe/Berlin --utc\n"
        f"network --hostname=n1 --device=eth0\nservices --enabled=sshd\nrootpw --iscrypted {HASH}\n"
        f"user --name=op --groups=sudo --iscrypted --password={HASH}\nsshkey --username=root '{KEY}'\n"
        "bootloader --append=quiet --timeout=9\n"
    )
    calls = apply(tree, ks)
    assert 'XKBLAYOUT="de"\nXKBVARIANT="nodeadkeys"\n' in (tree / "etc/default/keyboard").read_text()
    assert "KEYMAP=de-latin1-nodeadkeys\n" in (tree / "etc/vconsole.conf").read_text()
    answers.check(ks)
    assert (tree / "etc/localtime").readlink() == Path("/usr/share/zoneinfo/Europe/Berlin")
    assert (tree / "etc/hostname").read_text() == "n1\n"
    assert (tree / "etc/netplan/50-image.yaml").stat().st_mode & 0o777 == 0o600
    assert (tree / "root/.ssh/authorized_keys").read_text() == f"{KEY}\n"
    assert ["usermod", "-p", HASH, "root"] in calls
    assert ["systemctl", "--no-reload", "enable", "ssh.service"] in calls
    assert next(call for call in calls if call[0] == "useradd")[-1] == "op"
    assert answers.from_kickstart(ks) == {
        "version": 1,
        "network": {"hostname": "n1", "netplan": ks.netplan},
        "access": {
            "admin": {"name": "op", "password_hash": HASH},
            "root": {"password_hash": HASH, "ssh_keys": [KEY]},
        },
        "locale": {"keyboard": ks.keyboard, "timezone": "Europe/Berlin"},
        "boot": {"append": "quiet", "timeout": 9},
    }


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("timezone Mars/Base\n", "Mars/Base"),
        ("lang C --addsupport=xx_XX.UTF-8\n", "Debian knows no such language"),
        ("services --enabled=nosuch\n", "no unit nosuch.service"),
    ],
)
def test_what_the_image_has_no_means_for(tree: Path, kickstart: KickstartText, text: str, words: str) -> None:
    with pytest.raises(InputError, match=words):
        apply(tree, kickstart(text))


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("keyboard klingon", "main.ks:2: keyboard: 'klingon' is not a keyboard layout"),
        ("timezone Mars/Phobos", "main.ks:2: timezone: 'Mars/Phobos' is not a time zone"),
        ("timezone UTC --ntpservers=bad!", "main.ks:2: timezone: 'bad!' is not a host name"),
        ("user --name=Bad.Name --groups=sudo", "main.ks:2: user: 'Bad.Name' is not a user's name"),
    ],
)
def test_what_a_node_would_refuse_is_refused_already(kickstart: KickstartText, line: str, words: str) -> None:
    with pytest.raises(InputError) as caught:
        answers.check(kickstart(f"lang C\n{line}\n"))
    assert words in caught.value.details


@pytest.mark.effects("processes", "writes")
def test_what_netplan_refuses_is_refused_by_the_build(kickstart: KickstartText) -> None:
    commands = LiveCommands()
    answers.check_network(kickstart("network --device=eth0 --vlanid=5\n"), commands)
    with pytest.raises(InputError) as caught:
        answers.check_network(kickstart("lang C\nnetwork --device=eth0 --vlanid=9999\n"), commands)
    assert "main.ks:2: network: netplan says: " in caught.value.details
    assert "9999" in caught.value.details


def test_further_languages(tree: Path, kickstart: KickstartText) -> None:
    for name in ("de_DE", "ca_ES@valencia"):
        (tree / "usr/share/i18n/locales").mkdir(parents=True, exist_ok=True)
        (tree / "usr/share/i18n/locales" / name).write_text("")
    calls = apply(tree, kickstart("lang de_DE.UTF-8 --addsupport=ca_ES.UTF-8@valencia,C.UTF-8\n"))
    assert [call for call in calls if call[0] == "localedef"] == [
        ["localedef", "-i", "de_DE", "-f", "UTF-8", "de_DE.UTF-8"],
        ["localedef", "-i", "ca_ES@valencia", "-f", "UTF-8", "ca_ES.UTF-8@valencia"],
    ]


def test_an_account_that_can_t_be_made_is_named(tree: Path, kickstart: KickstartText) -> None:
    calls: list[list[str]] = []

    def inside(argv: Sequence[str]) -> str:
        calls.append(list(argv))
        if argv[0] == "useradd":
            raise CommandFailedError("useradd failed", argv=argv, status=6, details="no group 'x'")
        return ""

    with pytest.raises(InputError, match="user --name=op: ") as caught:
        configure(tree, kickstart("user --name=op --groups=wheel,sudo,x\n"), inside)
    assert caught.value.details == "no group 'x'"
    # The RPM distributions' name of the administrators' group means Debian's.
    assert calls[-1][calls[-1].index("--groups") + 1] == "sudo,x"


def test_a_service_that_is_not_there_is_off_already(tree: Path, kickstart: KickstartText) -> None:
    assert ["systemctl", "--no-reload", "disable", "x.timer"] not in apply(
        tree, kickstart("services --disabled=x.timer\n")
    )


def test_passwords_are_hashed_the_same_way_each_time() -> None:
    one = deterministic_hash("root", "hunter2")
    assert one.startswith("$y$")
    assert "hunter2" not in one
    assert one == deterministic_hash("root", "hunter2")
    assert one != deterministic_hash("admin", "hunter2")
    assert one != deterministic_hash("root", "hunter3")


def test_no_trace_of_the_build_stays(tree: Path) -> None:
    for name in ("etc/apt/apt.conf.d/99mmdebstrap", "etc/shadow-", "var/log/dpkg.log", "boot/vmlinuz-6"):
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_text("http://mirror.invalid")
    for folder in ("tmp/x", "run/y", "dev", "var/log/journal", "var/cache/apt/archives"):
        (tree / folder).mkdir(parents=True)
    remove_traces(tree)
    left = [path for path in tree.rglob("*") if path.is_file() and "mirror.invalid" in path.read_text()]
    assert left == []
    assert (tree / "var/log/journal").is_dir()
    assert list((tree / "run").iterdir()) == []
