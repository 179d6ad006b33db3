"""A kickstart as answers: what each directive means, and that nothing is left out without a word."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.installer.answers import merge, validate
from node.installer.flow import load_plugins
from node.installer.sources.kickstart import is_kickstart, read_kickstart
from node.model.problem import Problem, Severity
from node.plugins.access import AccessAnswers
from node.plugins.locale import LocaleAnswers
from node.plugins.network import NetworkAnswers
from node.plugins.storage.answers import REST, StorageAnswers
from node.system.passwords import verify

SHA512 = "$6$saltsalt$" + "a" * 86
WEAK = "$1$mF86/UHC$WvcIcX2t6crBz2onWxyac."
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFaeEkzI6P3YUIuqGHKPbZmKBGSMrEWEgwVa5DPfFOgO me@desk"


def read(text: str) -> tuple[dict[str, Any], tuple[Problem, ...]]:
    layer, problems = read_kickstart(text.encode(), name="node7.ks")
    return dict(layer.values), problems


def test_everything_that_a_node_understands():
    text = f"""
# rendered by cobbler
text
lang en_US.UTF-8
keyboard --vckeymap=us --xlayouts='de (nodeadkeys)'
timezone Europe/Prague --utc
timesource --ntp-server=ntp.example.org
rootpw --iscrypted {SHA512}
user --name=ops --groups=wheel --password={SHA512} --iscrypted
sshkey --username=ops "{KEY}"
network --bootproto=static --device=eno1 --ip=192.0.2.7 --netmask=255.255.255.0 --gateway=192.0.2.1
network --hostname=node7.example.org
ignoredisk --only-use=/dev/disk/by-id/nvme-X1
clearpart --all --initlabel --drives=/dev/disk/by-id/nvme-X1
part /boot --size=1024
part swap --recommended
part /data --grow --size=1 --fstype=xfs
bootloader --append="quiet" --timeout=5
poweroff
"""
    layer, problems = read_kickstart(text.encode(), name="node7.ks")
    assert problems == ()
    answers, found = validate(merge([layer]), load_plugins().models())
    assert found == ()
    access = answers[AccessAnswers]
    assert access.root.password_hash == SHA512
    assert (access.admin.name, access.admin.sudo, access.admin.ssh_keys) == ("ops", True, (KEY,))
    locale = answers[LocaleAnswers]
    assert (locale.lang, locale.keyboard, locale.timezone) == (
        "en_US.UTF-8", "de(nodeadkeys)", "Europe/Prague",
    )  # fmt: skip
    network = answers[NetworkAnswers]
    assert (network.hostname, network.ntp) == ("node7.example.org", ("ntp.example.org",))
    assert network.netplan["ethernets"]["eno1"]["addresses"] == ["192.0.2.7/24"]
    storage = answers[StorageAnswers]
    assert (storage.disk.by_id, storage.consent) == ("nvme-X1", ("nvme-X1",))
    assert (storage.sizes.boot, storage.sizes.data, storage.sizes.swap) == (1 << 30, REST, None)
    assert storage.data_filesystem == "xfs"
    assert layer.values["install"] == {"mode": "unattended", "afterwards": "poweroff"}
    assert layer.values["boot"] == {"append": "quiet", "timeout": 5}
    # A problem of a value names the line that it stands at.
    assert str(answers.origin("locale.timezone")) == "node7.ks, line 6"


def test_cobbler_s_default_hash_is_refused_in_words_and_not_repeated():
    layer, problems = read_kickstart(f"rootpw --iscrypted {WEAK}\n".encode(), name="node7.ks")
    assert problems == ()
    _, found = validate(merge([layer]), load_plugins().models())
    assert [problem.code for problem in found] == ["weak-password-hash"]
    words = str(found[0])
    assert "MD5 crypt is broken" in words
    assert "mkpasswd -m yescrypt" in words
    assert "node7.ks, line 1" in words
    assert WEAK not in words


def test_a_password_in_clear_text_is_hashed():
    values, problems = read("rootpw secret-of-mine\n")
    assert problems == ()
    assert verify("secret-of-mine", values["access"]["root"]["password_hash"])


@pytest.mark.parametrize(
    ("line", "where", "words"),
    [
        ("raid / --device=md0", "raid", "can't be said to a node"),
        ("firewall --enabled", "firewall", "can't be said to a node"),
        ("autopart --encrypted", "autopart", "can't be said to a node"),
        ("%include /tmp/made-by-pre", "%include", "can't be said to a node"),
        ("%post\nrm -rf /\n%end", "%post", "is not run"),
        ("%pre\nwget x\n%end", "%pre", "is not run"),
        ("part /home --size=10", "part", "no partition for /home"),
        ("part /data --size=ten", "part", "no number of MiB"),
        ("part /data --encrypted --size=1", "part", "--encrypted can't be said"),
        ("user --name=a\nuser --name=b", "user", "one user"),
        ("sshkey --username=nobody key", "sshkey", "no user directive makes"),
        ("network --bootproto=bootp --device=e", "network", "--bootproto=bootp is not honoured"),
        ("network --device=e --ip=192.0.2.1 --bootproto=static", "network", "needs --ip and --netmask"),
        ("ignoredisk --only-use=sda,sdb", "ignoredisk", "one disk"),
        ("ignoredisk --only-use=sda\nclearpart --drives=sdb", "clearpart", "another disk"),
        ("keyboard --xlayouts=us,cz", "keyboard", "only one"),
        ("lang", "lang", "required"),
        ("lang 'en", "node7.ks", "quotation"),
    ],
)
def test_what_has_no_place_is_a_named_problem(line: str, where: str, words: str):
    _, problems = read(line + "\n")
    problem = next(each for each in problems if each.severity is Severity.ERROR)
    assert problem.where == where
    assert words in problem.what
    assert "node7.ks, line" in str(problem.origin)


@pytest.mark.parametrize("line", ["selinux --disabled", "auth --enablemd5", "%packages\n@core\n%end"])
def test_what_does_nothing_is_said(line: str):
    _, problems = read(line + "\n")
    assert [problem.severity for problem in problems] == [Severity.WARNING]


def test_erasing_all_is_no_consent_by_itself():
    values, problems = read("clearpart --all\npart swap --size=100 --ondisk=sda\n")
    assert [problem.code for problem in problems] == ["kickstart-consent"]
    assert values["storage"] == {"disk": {"node": "/dev/sda"}, "sizes": {"swap": "100MiB"}}


@pytest.mark.parametrize(
    ("text", "kickstart"),
    [
        ("# comment\nlang en_US\n", True),
        ("%pre\n%end\n", True),
        ("install\n", True),
        ("version: 1\n", False),
        ("storage:\n  disk: {}\n", False),
        ('{"version": 1}', False),
        ("---\nversion: 1\n", False),
        ("", False),
    ],
)
def test_a_kickstart_is_told_from_yaml(text: str, kickstart: bool):
    assert is_kickstart(text.encode()) is kickstart


@given(
    st.text(max_size=300), st.sampled_from(["rootpw", "user", "network", "part", "sshkey", "lang", "%post"])
)
def test_nothing_makes_it_fail(text: str, name: str):
    read_kickstart(f"{name} {text}\n{text}\n".encode("utf-8", "surrogatepass"), name="any.ks")


@given(st.text(alphabet=st.characters(blacklist_categories=("Cs", "Cc")), min_size=8, max_size=40))
def test_no_problem_repeats_a_password(text: str):
    secret = f"hunter2{text}"
    for line in (f"rootpw --bad {secret}", f"rootpw --iscrypted --plaintext {secret} {secret}",
                 f"user --password={secret}", f"rootpw '{secret}"):  # fmt: skip
        _, problems = read(line + "\n")
        assert not any("hunter2" in f"{each}" for each in problems)
