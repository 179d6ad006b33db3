from __future__ import annotations

import pytest
from pydantic import ValidationError

from node.model.answers import Answers
from node.model.install import InstallAnswers, Mode
from node.model.problem import Severity
from node.model.state import State
from node.plugins import access
from node.plugins.access import AccessAnswers, hashes, ssh_keys

HEADER = "# Made by nodectl at every boot from /config/node.yaml; a change here is lost.\n"
YESCRYPT = "$y$j9T$3D7rGrtk7qgVa7H6/XiTl0$RnruFvSSlh.KU19zk26e2eCHtMF3J5mjsMmWKmEExc3"
SHA512 = "$6$saltstring$" + "a" * 86
# A public key that nobody holds the private one of: the point is 32 bytes of zero.
ED25519 = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA me@example.org"


def refused(**fields):
    with pytest.raises(ValidationError) as caught:
        AccessAnswers.model_validate(fields)
    return caught.value


@pytest.mark.parametrize(
    "text",
    [
        YESCRYPT,
        "$gy$j9T$3D7rGrtk7qgVa7H6/XiTl0$" + "a" * 43,
        "$7$CU..../....2tsHHpLf4yuMEnNXXyUy/$" + "b" * 43,
        SHA512,
        "$6$rounds=10000$salt$" + "a" * 86,
    ],
)
def test_hashes_that_are_taken(text):
    assert hashes.fault_of(text) is None


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("$1$salt$0123456789012345678901", "weak-password-hash"),
        ("$5$salt$" + "a" * 43, "weak-password-hash"),
        ("$2b$12$" + "a" * 53, "weak-password-hash"),
        ("$3$$" + "0" * 32, "weak-password-hash"),
        ("$sha1$1$a$b", "weak-password-hash"),
        ("_J9..rasmBYk8r9AiWNc", "weak-password-hash"),
        ("abJnggxhB/yWI", "weak-password-hash"),
        ("$6$rounds=1000$salt$" + "a" * 86, "weak-password-hash"),
        (SHA512[:-1], "broken-password-hash"),
        (YESCRYPT[:-1], "broken-password-hash"),
        (YESCRYPT + "\n", "broken-password-hash"),
        ("$6$:$" + "a" * 86, "broken-password-hash"),
        ("!", "locked-password-hash"),
        ("*", "locked-password-hash"),
        ("secret", "clear-text-password"),
        (YESCRYPT + ":0:0", "broken-password-hash"),
    ],
)
def test_hashes_that_are_refused_say_why_and_never_what(text, code):
    fault = hashes.fault_of(text)
    assert fault.code == code
    assert len(text) < 2 or text not in fault.what


def test_a_password_in_clear_text_is_echoed_nowhere():
    error = refused(
        admin={"password_hash": "hunter2-is-secret"}, root={"password_hash": ["hunter2-is-secret"]}
    )
    assert "hunter2" not in str(error)
    assert error.errors()[0]["type"] == "clear-text-password"
    assert "hunter2" not in repr(AccessAnswers.model_validate({"admin": {"password_hash": YESCRYPT}}))
    assert YESCRYPT not in repr(AccessAnswers.model_validate({"admin": {"password_hash": YESCRYPT}}))


@pytest.mark.parametrize(
    "line",
    [ED25519, f'from="10.0.0.*,::1",no-pty {ED25519}', f'command="echo \\"a b\\"" {ED25519}', ED25519[:-15]],
)
def test_keys_that_are_taken(line):
    assert ssh_keys.fault_of(line) == ""


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("", "no key"),
        ("-----BEGIN OPENSSH PRIVATE KEY-----\nabc", "it is a private key"),
        ("hello", "does not begin with a type of key"),
        ("ssh-ed25519", "nothing follows"),
        ("ssh-dss AAAA", "DSA"),
        (ED25519.replace("AAAAI", "AAAAJ"), "cut short"),
        (ED25519.split()[0] + " " + ED25519.split()[1][:40], "cut short"),
        (ED25519.replace("ssh-ed25519 ", "ssh-rsa "), "of another type"),
        ("ssh-ed25519 !!!!", "cut short"),
        (f"{ED25519}\n{ED25519}", "one line"),
        (f'from="unclosed {ED25519}', "does not begin with a type of key"),
    ],
)
def test_keys_that_are_refused(line, words):
    assert words in ssh_keys.fault_of(line)


def test_a_short_rsa_key_is_refused_with_its_length():
    import base64
    import struct

    def blob(bits):
        modulus = b"\0" + (1 << (bits - 1)).to_bytes(bits // 8, "big")
        parts = (b"ssh-rsa", b"\1\0\1", modulus)
        return base64.b64encode(b"".join(struct.pack(">I", len(p)) + p for p in parts)).decode()

    assert ssh_keys.fault_of(f"ssh-rsa {blob(1024)}") == "an RSA key of 1024 bits is weak; 2048 are the least"
    assert ssh_keys.fault_of(f"ssh-rsa {blob(2048)}") == ""


@pytest.mark.parametrize(
    "name", ["root", "sshd", "systemd-network", "Admin", "a:b", "1a", "", "a" * 33, "a\n"]
)
def test_names_that_would_take_an_account_over(name):
    assert refused(admin={"name": name}).errors()[0]["type"] in ("user-name-taken", "user-name-invalid")


def check(mode=Mode.INTERACTIVE, **fields):
    sections = {"access": AccessAnswers.model_validate(fields), "install": InstallAnswers(mode=mode)}
    return [(problem.code, problem.severity) for problem in access.node_validate(Answers(sections))]


def test_no_way_to_log_in():
    assert check() == [("no-way-to-log-in", Severity.WARNING)]
    assert check(Mode.UNATTENDED) == [("no-way-to-log-in", Severity.ERROR)]
    assert check(Mode.UNATTENDED, no_login=True) == []
    assert check(Mode.UNATTENDED, root={"ssh_keys": ED25519}) == []
    assert check(admin={"password_hash": YESCRYPT}) == []
    assert check(root={"password_hash": YESCRYPT}, ssh_password_login=True) == [
        ("no-password-for-ssh", Severity.WARNING)
    ]


def files(**fields):
    return {file.path: file for file in access.node_render(State(sections={"access": fields}))}


def test_an_admin_with_a_key():
    found = files(admin={"ssh_keys": [ED25519]})
    assert {path: file.contents for path, file in found.items()} == {
        "/etc/passwd": "admin:x:1000:1000:admin:/home/admin:/bin/bash\n",
        "/etc/group": "admin:x:1000:\nadm:x:4:admin\nsudo:x:27:admin\n",
        "/etc/gshadow": "admin:!::\nadm:*::admin\nsudo:*::admin\n",
        "/etc/tmpfiles.d/nodecrust-home.conf": (
            f"{HEADER}"
            "d /home/admin 0700 admin admin -\n"
            "C /home/admin/.bashrc 0644 admin admin - /etc/skel/.bashrc\n"
            "C /home/admin/.profile 0644 admin admin - /etc/skel/.profile\n"
        ),
        "/etc/sudoers.d/90-nodecrust": f"{HEADER}admin ALL=(ALL:ALL) NOPASSWD: ALL\n",
        "/etc/shadow": "admin:*::0:99999:7:::\n",
        "/etc/ssh/authorized_keys.d/admin": f"{HEADER}{ED25519}\n",
        "/etc/ssh/sshd_config.d/10-nodecrust.conf": (
            f"{HEADER}"
            "PasswordAuthentication no\n"
            "KbdInteractiveAuthentication no\n"
            "PermitRootLogin no\n"
            "AuthorizedKeysFile /etc/ssh/authorized_keys.d/%u .ssh/authorized_keys\n"
        ),
    }
    shadow = found["/etc/shadow"]
    assert (shadow.mode, shadow.owner, shadow.group, shadow.append) == (0o640, "root", "shadow", True)
    assert found["/etc/sudoers.d/90-nodecrust"].mode == 0o440


def test_passwords_and_root():
    found = files(
        admin={"name": "op", "password_hash": YESCRYPT},
        root={"password_hash": SHA512, "ssh_keys": [ED25519]},
        ssh_password_login=True,
    )
    assert found["/etc/shadow"].contents == f"op:{YESCRYPT}::0:99999:7:::\nroot:{SHA512}::0:99999:7:::\n"
    assert found["/etc/sudoers.d/90-nodecrust"].contents.endswith("op ALL=(ALL:ALL) ALL\n")
    assert "/etc/ssh/authorized_keys.d/op" not in found
    assert found["/etc/ssh/authorized_keys.d/root"].contents.endswith(f"{ED25519}\n")
    sshd = found["/etc/ssh/sshd_config.d/10-nodecrust.conf"].contents
    assert "PasswordAuthentication yes\n" in sshd
    assert "PermitRootLogin prohibit-password\n" in sshd


def test_an_admin_without_sudo():
    found = files(admin={"ssh_keys": [ED25519], "sudo": False})
    assert "/etc/sudoers.d/90-nodecrust" not in found
    assert found["/etc/group"].contents == "admin:x:1000:\nadm:x:4:admin\n"


def test_with_nothing_set_accounts_stay_as_the_image_has_them():
    assert list(files()) == ["/etc/ssh/sshd_config.d/10-nodecrust.conf"]


INSTALLED = {"at": "2026-11-23T05:00:00+00:00"}
DAY = 20780  # 2026-11-23, as `date +%s` divided by 86400


def shadow(*, install=None, **fields):
    found = access.node_render(State(install=install or {}, sections={"access": fields}))
    return next((file.contents for file in found if file.path == "/etc/shadow"), "")


@pytest.mark.parametrize(
    ("admin", "line"),
    [
        ({"password_max_days": 90}, f"admin:{YESCRYPT}:{DAY}:0:90:7:::\n"),
        (
            {"password_max_days": 90, "password_changed": "2026-11-24"},
            f"admin:{YESCRYPT}:{DAY + 1}:0:90:7:::\n",
        ),
        ({"password_changed": "2026-11-24"}, f"admin:{YESCRYPT}::0:99999:7:::\n"),
        ({"expires": "2026-11-24"}, f"admin:{YESCRYPT}::0:99999:7::{DAY + 1}:\n"),
        ({"locked": True, "expires": "2099-01-01"}, f"admin:!{YESCRYPT}::0:99999:7::1:\n"),
    ],
)
def test_expiry_and_lock_of_the_admin(admin, line):
    assert shadow(install=INSTALLED, admin={"password_hash": YESCRYPT, **admin}) == line


def test_a_password_that_is_none_never_ages():
    aging = {"password_max_days": 90}
    assert shadow(install=INSTALLED, admin={"ssh_keys": ED25519, **aging}) == "admin:*::0:99999:7:::\n"
    # Nobody knows since when: PXE without a disk.
    assert shadow(admin={"password_hash": YESCRYPT, **aging}) == f"admin:{YESCRYPT}::0:99999:7:::\n"


def test_a_locked_account_is_let_in_by_nothing_and_keeps_what_it_has():
    found = files(admin={"ssh_keys": ED25519, "locked": True}, root={"ssh_keys": ED25519, "locked": True})
    assert found["/etc/shadow"].contents == "admin:!*::0:99999:7::1:\nroot:!*::0:99999:7:::\n"
    assert "/etc/passwd" in found
    assert not [path for path in found if path.startswith("/etc/ssh/authorized_keys.d/")]
    assert "PermitRootLogin no\n" in found["/etc/ssh/sshd_config.d/10-nodecrust.conf"].contents
    assert check(Mode.UNATTENDED, admin={"ssh_keys": ED25519, "locked": True}) == [
        ("no-way-to-log-in", Severity.ERROR)
    ]


@pytest.mark.parametrize(
    "day", ["2026-02-30", "20261123", "1970-01-01", "tomorrow", "2026-11-23T00:00", "\n"]
)
def test_days_that_are_none(day):
    found = refused(admin={"expires": day, "password_changed": day}).errors()
    assert [error["type"] for error in found] == ["day-invalid", "day-invalid"]


def test_how_each_file_comes_into_force():
    found = files(admin={"password_hash": YESCRYPT, "ssh_keys": ED25519})
    at_once = {path for path, file in found.items() if file.live == ()}
    assert at_once == {
        "/etc/passwd",
        "/etc/group",
        "/etc/shadow",
        "/etc/gshadow",
        "/etc/sudoers.d/90-nodecrust",
        "/etc/ssh/authorized_keys.d/admin",
    }
    assert {path: file.live for path, file in found.items() if path not in at_once} == {
        "/etc/tmpfiles.d/nodecrust-home.conf": (("systemd-tmpfiles", "--create", "--prefix=/home"),),
        "/etc/ssh/sshd_config.d/10-nodecrust.conf": (("systemctl", "try-reload-or-restart", "ssh.service"),),
    }
