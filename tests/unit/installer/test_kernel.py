from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.installer.answers import merge, validate
from node.installer.keys import KnownKeys
from node.installer.sources.command_line import Argument, split
from node.installer.sources.kernel import boot_words, read_kernel_arguments
from node.model.answers import Answers
from node.model.install import InstallAnswers, Mode
from node.model.problem import Severity
from node.testing.machines import machine
from tests.unit.installer.sections import MODELS, Access, Network, Storage


def read(text: str):
    return read_kernel_arguments(text, KnownKeys(MODELS))


def answers(text: str) -> Answers:
    arguments = read(text)
    assert not arguments.problems
    found, problems = validate(merge([arguments.layer]), MODELS)
    assert not problems
    return found


@pytest.mark.parametrize(
    ("text", "arguments"),
    [
        ("quiet  a=b\n", [("quiet", None), ("a", "b")]),
        ('a="b c" d', [("a", "b c"), ("d", None)]),
        ('"a=b c" d', [("a", "b c"), ("d", None)]),
        ('a=b" "c', [("a", 'b" "c')]),
        ('a="b', [("a", "b")]),
        ("=a", [("=a", None)]),
        ("a=", [("a", "")]),
        ("a=b=c", [("a", "b=c")]),
        ('a="b"c', [("a", 'b"c')]),
        ('""', [("", None)]),
        ("", []),
    ],
)
def test_quoting_is_the_kernel_s(text: str, arguments: list[tuple[str, str | None]]):
    assert [(argument.name, argument.value) for argument in split(text)] == arguments


@given(st.text(alphabet=st.characters() | st.sampled_from(' "=\t')))
def test_taking_apart_never_raises_and_loses_no_word(text: str):
    arguments = split(text)
    bare = text.replace('"', "").replace("=", "")
    for space in " \t\n\v\f\r":
        bare = bare.replace(space, "")
    joined = "".join(a.name + (a.value or "") for a in arguments).replace('"', "").replace("=", "")
    for space in " \t\n\v\f\r":
        joined = joined.replace(space, "")
    assert joined == bare


names = st.from_regex(r"[a-z][a-z0-9._-]{0,9}", fullmatch=True)
words = st.text(st.characters(exclude_characters='"', exclude_categories=["Cs"]), max_size=12)


@given(st.lists(st.builds(Argument, names, st.none() | words), max_size=5))
def test_an_argument_that_is_written_down_reads_back_equal(arguments: list[Argument]):
    assert list(split(" ".join(str(argument) for argument in arguments))) == arguments


def test_keys_of_every_kind():
    found = answers(
        "BOOT_IMAGE=vmlinuz quiet node.install.mode=unattended node.storage.disk.serial=0123 "
        "node.storage.consent=A,B node.storage.consent=C node.storage.keep node.storage.disk.min_size=4GiB "
        '"node.access.admin.ssh_keys=ssh-ed25519 AAAA me@here" node.network.netplan.ethernets.eth0.dhcp4=true'
    )
    assert found[InstallAnswers].mode is Mode.UNATTENDED
    storage = found[Storage]
    assert (storage.disk.serial, storage.consent, storage.keep) == ("0123", ("A", "B", "C"), True)
    assert storage.disk.min_size == 4 << 30
    assert found[Access].admin.ssh_keys == ["ssh-ed25519 AAAA me@here"]
    assert found[Network].netplan == {"ethernets": {"eth0": {"dhcp4": True}}}
    assert str(found.origin("storage.disk.serial")) == "kernel argument node.storage.disk.serial"


@pytest.mark.parametrize(("word", "value"), [("1", True), ("yes", True), ("off", False), ("0", False)])
def test_booleans(word: str, value: bool):
    assert answers(f"node.storage.keep={word}")[Storage].keep is value


def test_dashes_count_as_underscores_and_the_last_value_stands():
    found = answers("node.access.admin.password-hash=$y$a node.access.admin.password_hash=$y$b")
    assert found[Access].admin.password_hash == "$y$b"


def test_a_whole_mapping_may_be_json():
    assert answers('node.network.netplan={"version":2}')[Network].netplan == {"version": 2}


def test_a_wrong_value_names_its_argument():
    _, problems = validate(merge([read("node.storage.disk.prefer=bigest").layer]), MODELS)
    assert [str(problem.origin) for problem in problems] == ["kernel argument node.storage.disk.prefer"]


@pytest.mark.parametrize(
    ("argument", "mend"),
    [
        ("node.storage.disk.serail=x", "Did you mean node.storage.disk.serial?"),
        ("node.anwsers=http://x/", "Did you mean node.answers?"),
        ("node.hostname=x", "Did you mean node.network.hostname?"),
        ("node.zzzzzz", "Take it out"),
        ("node.storage=x", "Write node.storage.KEY=VALUE"),
        ("node.storage.disk=x", "Write node.storage.disk.KEY=VALUE"),
        ("node.answers", "Write node.answers=VALUE"),
        ("node.legacy.storage_init=/dev/sda", "Use the answers' own keys, see docs/kernel-arguments.md"),
    ],
)
def test_an_argument_that_is_not_ours_is_a_problem(argument: str, mend: str):
    (problem,) = read(argument).problems
    assert (problem.mend, problem.where) == (mend, argument.partition("=")[0])


def test_what_belongs_to_others_is_left_alone():
    assert not read("nodeadm=1 root=/dev/sda1 systemd.unit=x rd.systemd.gpt_auto=0 --").problems


def test_reinstall_is_an_answer_and_the_initrd_s_arguments_are_known():
    text = "node.image=http://x/root.squashfs node.image.sha256=ab node.image.size=12 node.reinstall=two"
    arguments = read(text)
    assert not arguments.problems
    assert arguments.layer.values == {"install": {"reinstall": "two"}}
    assert arguments.own["image"] == "http://x/root.squashfs"


def test_the_card_that_we_booted_over_is_known():
    arguments = read("BOOTIF=01-52-54-00-12-34-56 ip=::::n1:eth0:dhcp")
    inventory = machine("vm-virtio-blank")
    assert arguments.boot_mac == "52:54:00:12:34:56"
    assert arguments.boot_nic(inventory) == inventory.nics[0]
    assert list(boot_words(arguments, inventory)) == [
        "booted over ens3 (52:54:00:12:34:56)",
        "network as the command line says: ip=::::n1:eth0:dhcp",
    ]
    assert [p.severity for p in read("BOOTIF=eth*").problems] == [Severity.WARNING]


arguments = st.lists(
    st.sampled_from(["node.storage", "node.storage.keep", "node.storage.keep.x", "node.network.netplan",
                     "node.network.netplan.a", "node.network.netplan.a.b", "node.answers", "node."])
    .flatmap(lambda name: st.sampled_from(["", "=", "=1", "={", "=a,b", '=[1]']).map(lambda v: name + v)),
    max_size=8,
)  # fmt: skip


@given(arguments)
def test_reading_is_total(words: list[str]):
    found = read(" ".join(words))
    validate(merge([found.layer]), MODELS)
