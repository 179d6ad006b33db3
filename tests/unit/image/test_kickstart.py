"""What a kickstart says becomes a value; what is not honoured is named, with its file and line."""

from __future__ import annotations

from pathlib import Path

import pytest

from image.directives import HONOURED, REFUSED_SECTIONS
from image.kickstart import DEFAULT_SUITES, Account, load
from node.errors import InputError
from tests.unit.image.conftest import HASH, KEY, KickstartText

# One line of each directive that pykickstart's newest syntax knows and that we don't honour.
UNHONOURED = """
authselect select minimal
autopart
autostep
btrfs none --data=0 part.01
cdrom
clearpart --all
cmdline
device 3c509
driverdisk --source=url
eula --agreed
fcoe --nic=eth0
firstboot --disable
graphical
group --name=g
halt
harddrive --dir=/x --partition=sda1
hmc
ignoredisk --only-use=sda
iscsiname iqn.1994-05.x
lilocheck
logging --host=x
logvol / --vgname=v --name=n --size=10
mediacheck
module --name=nodejs --stream=12
mount /dev/sda1 /
nfs --server=x --dir=/y
nvdimm use --namespace=n
ostreesetup --osname=x --url=u --ref=r
poweroff
raid / --device=0
realm join x
reboot
reqpart
rescue
shutdown
skipx
snapshot v/n --name=s --when=post-install
syspurpose --role=x
text
updates
url --url=http://x
vnc
volgroup v pv.01
xconfig
zerombr
zfcp --devnum=1
zipl --secure-boot
"""


def test_everything_that_is_honoured(kickstart: KickstartText) -> None:
    ks = kickstart(
        f"""
lang de_DE.UTF-8
keyboard --vckeymap=de-nodeadkeys
timezone Europe/Berlin
timesource --ntp-server=ntp.example
bootloader --append="quiet nomodeset" --timeout=4
network --hostname=n1 --device=eth0 --ip=192.0.2.2 --netmask=255.255.255.0 --gateway=192.0.2.1
services --enabled=ssh,chrony --disabled=cron
rootpw --iscrypted {HASH}
user --name=admin --groups=sudo,kvm --password=p --plaintext --uid=1001 --gecos="An Admin"
sshkey --username=admin "{KEY} a@b"
repo --name=trixie:main,non-free-firmware
repo --name=trixie-security
part / --fstype=ext4 --size=2048
part swap --size=512
%packages --excludedocs --inst-langs=de
@core
curl
-nano
%end
%post --interpreter=/bin/bash
echo in
%end
%post --nochroot
echo out
%end
%post --interpreter image-minimizer
drop /usr/share/man
%end
"""
    )
    assert (ks.lang, ks.keyboard, ks.timezone, ks.clock_is_utc) == (
        "de_DE.UTF-8",
        "de(nodeadkeys)",
        "Europe/Berlin",
        False,
    )
    assert ks.ntp == ("ntp.example",)
    assert (ks.append, ks.timeout_s, ks.hostname) == ("quiet nomodeset", 4, "n1")
    assert ks.netplan == {
        "version": 2,
        "ethernets": {
            "eth0": {"addresses": ["192.0.2.2/24"], "routes": [{"to": "default", "via": "192.0.2.1"}]}
        },
    }
    assert (ks.enabled, ks.disabled) == (("ssh", "chrony"), ("cron",))
    assert ks.root == Account("root", HASH, is_hash=True)
    assert ks.accounts == (Account("admin", "p", groups=("sudo", "kvm"), uid=1001, gecos="An Admin"),)
    assert ks.ssh_keys == (("admin", f"{KEY} a@b"),)
    assert [(suite.name, suite.components) for suite in ks.suites] == [
        ("trixie", ("main", "non-free-firmware")),
        ("trixie-security", ("main",)),
    ]
    assert [suite.is_security for suite in ks.suites] == [False, True]
    assert [part.split()[:2] for part in ks.partitions] == [["part", "/"], ["part", "swap"]]
    assert (ks.packages, ks.excluded) == (("curl",), ("nano",))
    assert (ks.exclude_docs, ks.languages) == (True, ("de",))
    assert [(s.interpreter, s.body, s.nochroot, s.is_minimizer) for s in ks.scripts] == [
        ("/bin/bash", "echo in\n", False, False),
        ("/bin/sh", "echo out\n", True, False),
        ("image-minimizer", "drop /usr/share/man\n", False, True),
    ]
    assert [script.origin.line for script in ks.scripts] == [21, 24, 27]


def test_what_is_not_said_is_not_there(kickstart: KickstartText) -> None:
    ks = kickstart("%packages\n%end\n")
    assert tuple(suite.name for suite in ks.suites) == DEFAULT_SUITES
    assert ks.root is None
    assert ks.netplan is None
    assert ks.lang is None
    assert ks.languages is None
    assert ks.timeout_s is None


@pytest.mark.parametrize("line", UNHONOURED.strip().splitlines())
def test_a_directive_that_is_not_honoured_is_named(kickstart: KickstartText, line: str) -> None:
    with pytest.raises(InputError) as caught:
        kickstart(f"lang C.UTF-8\n{line}\n")
    assert caught.value.exit_code == 2
    assert "main.ks:2: " in caught.value.details
    assert line.split()[0] in caught.value.details


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("bootloader --location=mbr --append=x", "bootloader --location"),
        ("network --device=eth0 --essid=x", "network --essid"),
        ("repo --name=x --baseurl=http://y", "repo --baseurl"),
        ("user --name=x --passwd=y", "user --passwd"),
    ],
)
def test_an_option_that_is_not_honoured_is_named(kickstart: KickstartText, line: str, what: str) -> None:
    with pytest.raises(InputError) as caught:
        kickstart(line + "\n")
    assert f"main.ks:1: {what} is not honoured" in caught.value.details


@pytest.mark.parametrize("section", REFUSED_SECTIONS)
def test_a_section_that_is_not_honoured_is_named(kickstart: KickstartText, section: str) -> None:
    with pytest.raises(InputError) as caught:
        kickstart(f"lang C\n{section}\nx\n%end\n")
    assert f"main.ks:2: {section} is not honoured" in caught.value.details


def test_every_honoured_directive_has_a_place_to_go() -> None:
    from image.kickstart import _Gathering

    for name in HONOURED:
        assert callable(getattr(_Gathering, f"_{name}"))


def test_all_complaints_at_once_each_with_its_file_and_line(kickstart: KickstartText) -> None:
    with pytest.raises(InputError) as caught:
        kickstart("autopart\n%include sub.ks\nnosuch x\n", sub="\n\nclearpart --all\nlang\n")
    lines = caught.value.details.splitlines()
    places = [line.split(": ")[0].rpartition("/")[2] for line in lines]
    assert places == ["main.ks:1", "main.ks:3", "sub.ks:3", "sub.ks:4"]
    assert "Unknown command: nosuch" in lines[1]


def test_includes_are_relative_to_the_including_file(tmp_path: Path) -> None:
    (tmp_path / "parts").mkdir()
    (tmp_path / "main.ks").write_text("%include parts/one.ks\n")
    (tmp_path / "parts/one.ks").write_text("%include two.ks\n%packages\n%include list.ks\n%end\n")
    (tmp_path / "parts/two.ks").write_text("timezone UTC\n")
    (tmp_path / "parts/list.ks").write_text("curl\n# more\nless\n")
    ks = load(tmp_path / "main.ks")
    assert ks.timezone == "UTC"
    assert ks.packages == ("curl", "less")
    assert str(ks.package_origins["less"]).endswith("parts/list.ks:3")


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("lang C\n%include nowhere.ks\n", "main.ks:2", "there is no file"),
        ("%include main.ks\n", "main.ks:1", "includes itself"),
        ('lang "C\n', "main.ks:1", "No closing quotation"),
        ("%packages\ncurl\n", "main.ks:2", "does not end with %end"),
        ("%nosuch\n%end\n", "main.ks:1", "Unknown kickstart section: %nosuch"),
        ("%packages\n@gnome\n%end\n", "main.ks:2", "Debian has no package groups"),
        ("%packages\npython3-*\n%end\n", "main.ks:2", "not a package's name"),
        ("%include http://x/y.ks\n", "main.ks:1", "only files are included"),
        ("rootpw --iscrypted $1$a$b\n", "main.ks:1", "rootpw: MD5 crypt is broken"),
        ("sshkey --username=root k\n", "main.ks:1", "does not begin with a type of key"),
        ("keyboard --xlayouts=us,de\n", "main.ks:1", "only one of --xlayouts"),
        (f"sshkey --username=x '{KEY}'\n", "main.ks:1", "no user directive names that account"),
        ("repo --name=a\nrepo --name=a\n", "main.ks:2", "is there already"),
        ("repo --name=\n", "main.ks:1", "write SUITE or SUITE:main,contrib"),
        ("lang C\n%ksappend more.ks\n", "main.ks:2", "%ksappend is not honoured"),
        ("%post --interpreter=\ntrue\n%end\n", "main.ks:1", "--interpreter names none"),
        ("network --device=e --bootproto=bootp\n", "main.ks:1", "--bootproto=bootp is not honoured"),
        ("network --device=e --bootproto=static --ip=1.2.3.4\n", "main.ks:1", "--netmask"),
    ],
)
def test_bad_input(kickstart: KickstartText, text: str, place: str, words: str) -> None:
    with pytest.raises(InputError) as caught:
        kickstart(text)
    assert place in caught.value.details
    assert words in caught.value.details


@pytest.mark.parametrize(
    ("line", "layout"),
    [
        ("keyboard us", "us"),
        ("keyboard uk", "gb"),
        ("keyboard --vckeymap=de-latin1", "de"),
        ("keyboard --vckeymap=de-nodeadkeys", "de(nodeadkeys)"),
        ("keyboard --vckeymap=us --xlayouts='de (nodeadkeys)'", "de(nodeadkeys)"),
        ("keyboard --xlayouts='us (colemak)'", "us(colemak)"),
    ],
)
def test_keyboards_by_any_of_their_names(kickstart: KickstartText, line: str, layout: str) -> None:
    assert kickstart(line + "\n").keyboard == layout


def test_documentation_left_out_once_stays_out(kickstart: KickstartText) -> None:
    ks = kickstart(
        "%include base.ks\n%packages\nnano\n%end\n",
        base="%packages --excludedocs --inst-langs=\ncurl\n%end\n",
    )
    assert (ks.exclude_docs, ks.languages) == (True, ())


@pytest.mark.parametrize("line", ["timezone UTC --nontp", "timesource --ntp-disable"])
def test_a_clock_of_its_own(kickstart: KickstartText, line: str) -> None:
    version = "#version=F32\n" if "nontp" in line else ""
    assert kickstart(f"{version}{line}\n").disabled == ("systemd-timesyncd",)


def test_a_missing_kickstart(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="can't read"):
        load(tmp_path / "none.ks")


def test_an_old_kickstart_in_its_own_syntax(kickstart: KickstartText) -> None:
    old = "%packages --nobase --instLang=en\ncurl\n%end\n"
    with pytest.raises(InputError):
        kickstart(old)
    for ks in (kickstart("#version=F16\n" + old.replace("--instLang", "--instLangs")),):
        assert ks.packages == ("curl",)
    with pytest.raises(InputError, match="--ks-version: F999 is no version of the kickstart syntax"):
        kickstart("lang C\n", ks_version="F999")
    with pytest.raises(InputError, match=r"main\.ks:2: F99 is no version"):
        kickstart("lang C\n#version=F99\n")


def test_notices_for_what_debian_lacks(kickstart: KickstartText) -> None:
    ks = kickstart("selinux --enforcing\nfirewall --enabled --ssh\n")
    assert [notice.partition("main.ks:")[2].split()[1] for notice in ks.notices] == ["selinux", "firewall"]


def test_the_fingerprint_tells_contents_not_places(tmp_path: Path) -> None:
    texts = []
    for folder in ("a", "b/c"):
        (tmp_path / folder).mkdir(parents=True)
        path = tmp_path / folder / "x.ks"
        path.write_text("lang C\n%packages\ncurl\n%end\n%post\ntrue\n%end\n")
        texts.append(load(path).fingerprint())
    assert texts[0] == texts[1]
    path.write_text("lang C\n%packages\ncurl\n%end\n%post\nfalse\n%end\n")
    assert load(path).fingerprint() != texts[0]


def test_a_password_counts_and_never_shows(kickstart: KickstartText) -> None:
    one, other = (kickstart(f"rootpw --plaintext {word}\n") for word in ("hunter2", "hunter3"))
    assert one.fingerprint() != other.fingerprint()
    assert "hunter2" not in repr(one)


def test_the_page_names_all_that_is_honoured() -> None:
    page = (Path(__file__).parents[3] / "docs/kickstart.md").read_text()
    for name in HONOURED:
        assert f"`{name}`" in page


def test_every_line_of_a_directive_counts(kickstart: KickstartText) -> None:
    read = kickstart("services --enabled=ssh\nservices --disabled=cron\nservices --disabled=atd,at\n")
    assert read.enabled == ("ssh",)
    assert read.disabled == ("cron", "atd", "at")
