"""netplan's check: its words mapped to our keys; with the real one where it is installed."""

from __future__ import annotations

from pathlib import Path

import pytest

from node.errors import CommandFailedError
from node.model.netplan import path_at, to_yaml
from node.model.origin import Origin, Precedence
from node.model.problem import Severity
from node.model.system import Completed
from node.system import netplan
from node.system.commands import LiveCommands
from node.system.netplan import check_netplan

GENERATOR = Path("/usr/libexec/netplan/generate")


def origin(key):
    return Origin(Precedence.FILE, f"answers.yaml at {key}")


class SaysInTurn:
    """Commands that answer as netplan did, and keep the documents that they were asked about."""

    def __init__(self, *said):
        self.said = list(said)
        self.documents = []

    def run(self, argv, **_):
        text = Path(argv[-1], "etc/netplan/90-nodecrust.yaml").read_text()
        self.documents.append(text)
        errors = self.said.pop(0) if self.said else ""
        return Completed(tuple(argv), 1 if errors else 0, "", errors)


def check(document, *said, **options):
    return check_netplan(
        document, commands=SaysInTurn(*said), origin=origin, generator=Path("generate"), **options
    )


def test_an_error_is_mapped_to_the_key_and_its_origin():
    said = (
        "/tmp/x/etc/netplan/90-nodecrust.yaml:6:7: Error in network definition: address '10.0.0.1' is "
        "missing /prefixlength\n      - 10.0.0.1\n      ^\n"
    )
    (problem,) = check({"ethernets": {"eth0": {"addresses": ["10.0.0.1"]}}}, said)
    assert problem.where == "network.netplan.ethernets.eth0.addresses"
    assert problem.what == "netplan says: address '10.0.0.1' is missing /prefixlength"
    assert str(problem.origin) == "answers.yaml at network.netplan.ethernets.eth0.addresses"
    assert problem.severity is Severity.ERROR


@pytest.mark.parametrize(
    ("words", "mend"),
    [
        ("unknown key 'dhpc4'", "Did you mean 'dhcp4'?"),
        ("unknown bond mode '802.3'", "Did you mean '802.3ad'?"),
        ("invalid boolean value 'maybe'", "Write true or false"),
        ("invalid unsigned int value 'big'", "Write a whole number"),
        ("unknown key 'zzz'", "Correct it as netplan's YAML reference has it"),
        ("address '10.0.0.1' is missing /prefixlength", "Correct it as netplan's YAML reference has it"),
    ],
)
def test_a_misspelt_word_leads_to_the_nearest_one(words, mend):
    (problem,) = check(
        {"ethernets": {}}, f"/t/etc/netplan/90-nodecrust.yaml:2:3: Error in network definition: {words}\n"
    )
    assert problem.mend == mend


def test_the_form_of_netplan_1_1_without_a_place_finds_the_definition():
    said = "/t/etc/netplan/90-nodecrust.yaml: Error in network definition: v6: missing 'link' property\n"
    (problem,) = check({"vlans": {"v6": {"id": 6}}}, said)
    assert problem.where == "network.netplan.vlans.v6"


def test_words_of_another_form_are_passed_on_whole():
    (problem,) = check({"ethernets": {}}, "something\nelse")
    assert problem.where == "network.netplan"
    assert problem.what == "netplan says: something else"


def test_an_empty_document_asks_nobody():
    commands = SaysInTurn()
    assert check_netplan({}, commands=commands, origin=origin) == ()
    assert commands.documents == []


@pytest.mark.parametrize(("live", "severity"), [(False, Severity.WARNING), (True, Severity.ERROR)])
def test_without_netplan_it_says_that_it_was_not_checked(monkeypatch, live, severity):
    monkeypatch.setattr(netplan, "_GENERATORS", ())
    (problem,) = check_netplan({"ethernets": {}}, commands=SaysInTurn(), origin=origin, live=live)
    assert (problem.code, problem.severity) == ("netplan-not-checked", severity)


def test_a_netplan_that_hangs_is_a_problem_and_no_crash():
    class Hangs:
        def run(self, argv, **_):
            raise CommandFailedError("netplan took longer than 20 s", argv=argv, status=None)

    (problem,) = check_netplan({"ethernets": {}}, commands=Hangs(), origin=origin, generator=Path("g"))
    assert problem.what == "not checked: netplan took longer than 20 s"


def test_a_place_in_the_text_leads_back_to_its_key():
    text = to_yaml({"version": 2, "ethernets": {"eth0": {"addresses": ["a", "b"], "mtu": None}}})
    assert path_at(text, line=4, column=5) == ("ethernets", "eth0")
    assert path_at(text, line=7, column=9) == ("ethernets", "eth0", "addresses", 1)
    assert path_at(text, line=8, column=12) == ("ethernets", "eth0", "mtu")
    assert path_at(text, line=99, column=1) == ()


needs_netplan = pytest.mark.skipif(not GENERATOR.exists(), reason="netplan is not installed")


@needs_netplan
@pytest.mark.effects("processes", "writes")
def test_the_words_of_netplan_itself_lead_to_the_nearest_one():
    document = {
        "ethernets": {"a": {"dhpc4": True}, "b": {"dhcp4": "maybe", "mtu": "big"}},
        "bonds": {"bond0": {"interfaces": ["b"], "parameters": {"mode": "802.3"}}},
    }
    found = check_netplan(document, commands=LiveCommands(), origin=origin)
    assert [problem.mend for problem in found] == [
        "Did you mean 'dhcp4'?",
        "Write true or false",
        "Write a whole number",
        "Did you mean '802.3ad'?",
    ]


def ask(document):
    return [p.where for p in check_netplan(document, commands=LiveCommands(), origin=origin)]


@needs_netplan
@pytest.mark.effects("processes", "writes")
@pytest.mark.parametrize(
    ("document", "where"),
    [
        ({"ethernets": {"eth0": {"dhpc4": True}}}, ["ethernets.eth0.dhpc4"]),
        ({"ethernet": {}}, ["ethernet"]),
        (
            {"ethernets": {"eth0": {"dhpc4": True, "addresses": ["10.0.0.1"]}}},
            ["ethernets.eth0.dhpc4", "ethernets.eth0.addresses"],
        ),
        ({"ethernets": {"eth0": None}}, ["ethernets.eth0"]),
        ({"bonds": {"b": {"interfaces": ["eth5"]}}}, ["bonds.b.interfaces.0"]),
        ({"ethernets": {"e": {"dhcp4": True}}, "vlans": {"v": {"id": 5, "link": "e"}}}, []),
        # Five mistakes in one document, and what follows only from taking one of them out is not among them.
        (
            {
                "ethernets": {
                    "eth0": {"addresses": ["10.0.0.1"], "dhcp4": "maybe"},
                    "eth1": {"mtuu": 1, "mtu": "x"},
                },
                "vlans": {"v5": {"id": 5, "link": "nix"}},
            },
            [
                "ethernets.eth0.addresses",
                "ethernets.eth0.dhcp4",
                "ethernets.eth1.mtuu",
                "ethernets.eth1.mtu",
                "vlans.v5.link",
            ],
        ),
    ],
)
def test_netplan_itself(document, where):
    assert ask(document) == [f"network.netplan.{key}" for key in where]
