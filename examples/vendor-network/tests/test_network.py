"""Names, functions and kernel arguments."""

from __future__ import annotations

from dataclasses import replace

import pytest
from vendor_network import plugin

from node.model.inventory import Cpu
from node.testing.inventories import a_nic

ONE, TWO = a_nic("eno1"), a_nic("eno2")


def asked(names=None, functions=None):
    return {"vendor_network": {"names": names or {}, "virtual_functions": functions or {}}}


@pytest.fixture
def bench(workbench):
    return workbench(plugin, name="vendor-network")


@pytest.fixture
def two_cards(inventory):
    return inventory("vm-virtio-blank", nics=[ONE, TWO])


def test_nothing_is_done_unasked(bench, any_machine):
    assert bench.render() == {}
    assert bench.problems(on=any_machine) == ()


def test_a_card_gets_its_name_and_functions(bench):
    files = bench.render(asked({ONE.mac.upper(): "port0"}, {ONE.mac: 8, TWO.mac: 2}))
    one, two = (
        file.contents for _, file in sorted(files.items(), key=lambda pair: TWO.mac in pair[1].contents)
    )
    assert f"PermanentMACAddress={ONE.mac}\n" in one
    assert "Name=port0\nSR-IOVVirtualFunctions=8\n" in one
    assert "NamePolicy=keep" in two
    assert all(file.live is None for file in files.values())


@pytest.mark.parametrize(
    ("vendor", "words"),
    [("GenuineIntel", ["intel_iommu=on", "iommu=pt"]), ("AuthenticAMD", ["iommu=pt"]), ("", ["iommu=pt"])],
)
def test_the_iommu_is_switched_on_for_functions_alone(bench, two_cards, vendor, words):
    machine = replace(two_cards, cpu=Cpu(vendor=vendor))
    given = plugin.node_kernel_args(bench.look(asked(functions={ONE.mac: 4}), on=machine).answers, machine)
    assert list(given) == words
    assert plugin.node_kernel_args(bench.look(asked({ONE.mac: "a"}), on=machine).answers, machine) == ()


def test_the_arguments_reach_the_boot_menu(bench, two_cards):
    steps = bench.look(asked(functions={ONE.mac: 4}), on=two_cards).plan.steps
    assert any("iommu=pt" in str(one.step) for one in steps)


@pytest.mark.parametrize(
    ("names", "functions", "words"),
    [
        ({"52:54": "port0"}, {}, "is no MAC address"),
        ({"52:54:00:00:00:99": "port0"}, {}, "has no card"),
        ({ONE.mac: "eth0"}, {}, "can be no card's name"),
        ({ONE.mac: "a-name-too-long-"}, {}, "can be no card's name"),
        ({ONE.mac: "a/b"}, {}, "can be no card's name"),
        ({ONE.mac: "same", TWO.mac: "same"}, {}, "two cards one name"),
        ({ONE.mac: "a", ONE.mac.upper(): "b"}, {}, "names a card twice"),
        ({}, {ONE.mac: 0}, "0 can't be"),
        ({}, {ONE.mac: 999}, "999 can't be"),
    ],
)
def test_what_can_not_be_is_named(bench, two_cards, names, functions, words):
    problems = bench.problems(asked(names, functions), on=two_cards)
    assert [problem for problem in problems if words in problem.what], problems


def test_the_page_is_reached_from_the_summary(bench, two_cards):
    screens = bench.screens(asked({ONE.mac: "port0"}), on=two_cards)
    screens.show("vendor_network")
    assert "SR-IOV" in screens.text()
