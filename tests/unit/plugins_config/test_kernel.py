from __future__ import annotations

import pytest
from pydantic import ValidationError

from node.installer.answers import merge, validate
from node.installer.document import read_document
from node.installer.keys import KnownKeys
from node.installer.sources.kernel import read_kernel_arguments
from node.model.answers import Answers
from node.model.problem import Severity
from node.model.state import State
from node.plugins import kernel
from node.plugins.kernel import KernelAnswers
from node.plugins.kernel.known import KNOWN

HEADER = "# Made by nodectl at every boot from /config/node.yaml; a change here is lost.\n"
MODELS = {"kernel": KernelAnswers}


def refused(**fields):
    with pytest.raises(ValidationError) as caught:
        KernelAnswers.model_validate(fields)
    return [(error["type"], error["msg"]) for error in caught.value.errors()]


def files(**fields):
    return {file.path: file for file in kernel.node_render(State(sections={"kernel": fields}))}


def test_the_files_and_how_each_comes_into_force():
    found = files(
        modules="br_netfilter,vfio-pci",
        options={"kvm_intel": {"nested": True}, "bonding": "max_bonds=0", "x": {"label": "a b", "n": 3}},
        blacklist=["mei"],
        sysctl={"vm.swappiness": 10, "net": {"ipv4": {"ip_forward": True, "tcp_rmem": "4096 87380 6291456"}}},
    )
    assert {path: (file.contents, file.live, file.on_trial) for path, file in found.items()} == {
        "/etc/modules-load.d/90-nodecrust.conf": (
            f"{HEADER}br_netfilter\nvfio-pci\n",
            (("systemctl", "restart", "systemd-modules-load.service"),),
            False,
        ),
        "/etc/modprobe.d/90-nodecrust.conf": (
            f"{HEADER}blacklist mei\noptions kvm_intel nested=1\noptions bonding max_bonds=0\n"
            'options x label="a b" n=3\n',
            None,
            False,
        ),
        "/etc/sysctl.d/90-nodecrust.conf": (
            f"{HEADER}net.ipv4.ip_forward = 1\nnet.ipv4.tcp_rmem = 4096 87380 6291456\nvm.swappiness = 10\n",
            (("systemctl", "restart", "systemd-sysctl.service"),),
            False,
        ),
    }


def test_with_nothing_set_there_are_no_files():
    assert files() == {}


def test_settings_are_kept_level_by_level():
    answers = KernelAnswers(sysctl={"vm.swappiness": 10, "vm": {"panic_on_oom": 1}, "fs/file-max": 5})
    assert answers.sysctl == {"vm": {"swappiness": 10, "panic_on_oom": 1}, "fs": {"file-max": 5}}
    assert Answers({"kernel": answers}).persistent() == {"kernel": {"sysctl": answers.sysctl}}
    assert KernelAnswers(sysctl=answers.sysctl) == answers


@pytest.mark.parametrize(
    ("key", "line"),
    [
        ("net/ipv4/conf/eth0.100/forwarding", "net/ipv4/conf/eth0.100/forwarding = 1"),
        ("net.ipv4.conf.eth0/100.forwarding", "net/ipv4/conf/eth0.100/forwarding = 1"),
        ("net.ipv4.conf.*.rp_filter", "net.ipv4.conf.*.rp_filter = 1"),
    ],
)
def test_names_of_interfaces_within_a_key(key, line):
    assert files(sysctl={key: 1})["/etc/sysctl.d/90-nodecrust.conf"].contents == f"{HEADER}{line}\n"


@pytest.mark.parametrize(
    ("settings", "word"),
    [
        ({"vm.swappiness\nkernel.panic": 1}, "is not a key"),
        ({"vm": {"x\ny": 1}}, "is not a key"),
        ({"-vm.swappiness": 1}, "is not a key"),
        ({"vm..swappiness": 1}, "is not a key"),
        ({"../etc/passwd": 1}, "is not a key"),
        ({"swappiness": 1}, "is not a key"),
        ({"vm.swappiness": "1\nkernel.panic = 0"}, "more than one line"),
        ({"vm.swappiness": None}, "neither a number nor text"),
        ({"vm.swappiness": []}, "neither a number nor text"),
        ({"vm.swappiness": ""}, "neither a number nor text"),
        ({"vm": 1, "vm.swappiness": 1}, "both a value and keys"),
        ({"vm": {"swappiness": {"x": 1}}, "vm.swappiness": 1}, "both a value and keys"),
        ({"kernel.hostname": "x"}, "against the node itself"),
        ({"kernel/hostname": "x"}, "against the node itself"),
        ({"kernel": {"modules_disabled": 1}}, "against the node itself"),
    ],
)
def test_settings_that_would_break_the_node_are_refused(settings, word):
    ((code, what),) = refused(sysctl=settings)
    assert code == "sysctl-invalid"
    assert word in what


def test_every_wrong_value_is_named_at_once():
    found = refused(
        modules=["a b", "../x"], options={"kvm": {"a\nb": 1}}, blacklist=["overlay"], sysctl={"x": 1}
    )
    assert [code for code, _ in found] == [
        "module-invalid",
        "module-options-invalid",
        "module-needed",
        "sysctl-invalid",
    ]


@pytest.mark.parametrize("value", ['a"b', "it's", "a\nb", "a\\b", None, {}])
def test_option_values_that_could_not_be_written(value):
    assert refused(options={"m": {"p": value}})[0][0] == "module-options-invalid"


@pytest.mark.parametrize("given", [{}, "", None, 5])
def test_options_without_a_parameter(given):
    assert refused(options={"m": given})[0][0] == "module-options-invalid"


def test_a_module_both_loaded_and_kept_out_is_a_contradiction():
    assert refused(modules=["vfio-pci"], blacklist=["vfio_pci"])[0][0] == "module-contradiction"


def test_keys_that_are_most_likely_misspelt_are_warnings_with_the_nearest():
    settings = {"nett.core.somaxconn": 1, "lnet.x": 1, "vm.swapiness": 1, "vm.swappiness": 1, "vm.laptop": 1}
    found = kernel.node_validate(Answers({"kernel": KernelAnswers(sysctl=settings)}))
    assert {one.where: one.mend for one in found} == {
        "kernel.sysctl.nett.core.somaxconn": "Did you mean 'net'?",
        "kernel.sysctl.lnet.x": "Did you mean 'net'?",
        "kernel.sysctl.vm.swapiness": "Did you mean vm.swappiness?",
    }
    assert {one.severity for one in found} == {Severity.WARNING}


def test_the_settings_that_are_known_are_no_near_misses_of_each_other():
    settings = dict.fromkeys(KNOWN, 1)
    assert kernel.node_validate(Answers({"kernel": KernelAnswers(sysctl=settings)})) == ()


def test_a_kernel_argument_counts_more_than_the_file():
    layer, problems = read_document(
        b"version: 1\nkernel: {sysctl: {vm.swappiness: 10, vm.panic_on_oom: 1}, modules: [a]}\n", name="f"
    )
    assert not problems
    given = read_kernel_arguments(
        "node.kernel.sysctl.vm.swappiness=20 node.kernel.modules=br_netfilter,vfio "
        "node.kernel.options.kvm_intel.nested=1",
        KnownKeys(MODELS),
    )
    assert not given.problems
    answers, problems = validate(merge([layer, given.layer]), MODELS)
    assert not problems
    found = answers[KernelAnswers]
    assert found.sysctl == {"vm": {"swappiness": 20, "panic_on_oom": 1}}
    assert found.modules == ("br_netfilter", "vfio")
    assert found.options == {"kvm_intel": {"nested": 1}}
