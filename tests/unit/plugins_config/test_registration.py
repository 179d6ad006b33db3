"""The sections `registration` and `cobbler`: what they refuse, what they render, what the status says."""

from __future__ import annotations

from typing import Any

import pytest

from node.agent.masking import masked
from node.installer.answers import merge, validate
from node.installer.flow import load_plugins
from node.installer.keys import KnownKeys
from node.installer.sources.kernel import read_kernel_arguments
from node.model.answers import Answers, Layer
from node.model.fingerprint import fingerprint, shown
from node.model.inventory import Inventory, Nic
from node.model.origin import Precedence
from node.model.problem import Problem, Severity
from node.model.state import State
from node.plugins import cobbler, registration
from node.plugins.cobbler import CobblerAnswers
from node.plugins.cobbler.backend import interface_words
from node.plugins.registration import RegistrationAnswers
from node.plugins.registration.panel import lines
from node.plugins.storage import StorageAnswers

PIN = "ab" * 32
TOKEN = "nct_A-token-of-nobody"
SERVER = {"server": "https://manage.example.org:8443", "fingerprint": PIN}


def answered(**sections: Any) -> tuple[Answers, tuple[Problem, ...]]:
    models = {"registration": RegistrationAnswers, "cobbler": CobblerAnswers, "storage": StorageAnswers}
    return validate(merge([Layer(Precedence.FILE, sections, "answers.yaml")]), models)


@pytest.mark.parametrize(
    ("values", "code", "words"),
    [
        ({"server": "http://manage.example.org"}, "server-invalid", "never goes over plain http"),
        ({"server": "manage.example.org"}, "server-invalid", "begins with https://"),
        ({"server": "https://a:b@manage.example.org"}, "server-invalid", "no place in it"),
        ({"server": "https://manage.example.org/x"}, "server-invalid", "more than a host and a port"),
        ({"server": "https://manage_example"}, "server-invalid", "not a host name"),
        ({"server": "https://[::1"}, "server-invalid", "not an address"),
        ({"fingerprint": "ab" * 20}, "fingerprint-invalid", "SHA-1"),
        ({"fingerprint": "zz"}, "fingerprint-invalid", "none of SHA-256"),
        ({"token": "two words"}, "token-invalid", "not a token"),
        ({"pool": "-x"}, "pool-invalid", "not a pool's name"),
    ],
)
def test_what_is_refused(values: dict[str, str], code: str, words: str) -> None:
    _, problems = answered(registration=values)
    assert [problem.code for problem in problems] == [code]
    assert words in problems[0].what
    assert problems[0].mend


def test_a_token_is_repeated_nowhere() -> None:
    _, problems = answered(registration={"token": f"{TOKEN} "})
    assert problems
    assert TOKEN not in str(problems)
    sections = {"registration": {**SERVER, "token": TOKEN}}
    assert TOKEN not in str(masked(sections, {"registration": RegistrationAnswers}))
    answers, _ = answered(**sections)
    assert TOKEN not in repr(answers[RegistrationAnswers])
    files = registration.node_render(State(sections=sections))
    assert TOKEN not in str(files)
    (backend,) = registration.node_register(State(sections=sections))
    assert backend.name == "server"


def test_a_fingerprint_as_people_write_it() -> None:
    for text in (PIN, PIN.upper(), shown(PIN), f"sha256:{PIN}", ":".join(["ab"] * 32)):
        answers, problems = answered(registration={**SERVER, "fingerprint": text})
        assert problems == ()
        assert answers[RegistrationAnswers].fingerprint == PIN
    assert fingerprint(PIN[:-1]) == ""


def test_a_server_needs_a_fingerprint_and_a_token_a_server() -> None:
    answers, _ = answered(registration={"server": SERVER["server"]})
    (problem,) = registration.node_validate(answers)
    assert (problem.code, problem.severity) == ("no-fingerprint", Severity.ERROR)
    answers, _ = answered(registration={"token": TOKEN})
    (problem,) = registration.node_validate(answers)
    assert (problem.code, problem.severity) == ("no-server", Severity.WARNING)
    answers, _ = answered(registration=SERVER)
    assert registration.node_validate(answers) == ()


def test_a_file_says_that_a_server_is_asked_for_and_which_token_is_there() -> None:
    assert registration.node_render(State()) == ()
    (without,) = registration.node_render(State(sections={"registration": SERVER}))
    (with_one,) = registration.node_render(State(sections={"registration": {**SERVER, "token": TOKEN}}))
    assert without.path == "/etc/nodecrust/registration.d/server"
    # Else the agent would not begin anew when one is given.
    other = {**SERVER, "token": f"{TOKEN}x"}
    (with_other,) = registration.node_render(State(sections={"registration": other}))
    assert len({without.contents, with_one.contents, with_other.contents}) == 3
    assert TOKEN not in with_one.contents + with_other.contents
    assert without.live


@pytest.mark.parametrize(
    ("values", "codes"),
    [
        ({"server": "http://cobbler"}, ["plain-http"]),
        ({"server": "https://cobbler"}, ["no-fingerprint"]),
        ({"server": "http://cobbler", "trust": "network"}, []),
        (
            {"server": "http://cobbler", "trust": "network", "user": "u", "password": "p"},
            ["password-on-the-wire"],
        ),
        (
            {"server": "https://cobbler", "fingerprint": PIN, "register_system": True},
            ["registration-incomplete"] * 3,
        ),
        # The password was used and is gone.
        (
            {
                "server": "https://cobbler",
                "fingerprint": PIN,
                "register_system": True,
                "profile": "p",
                "user": "u",
            },
            [],
        ),
    ],
)
def test_what_cobbler_needs(values: dict[str, Any], codes: list[str]) -> None:
    answers, problems = answered(cobbler=values)
    assert problems == ()
    assert [problem.code for problem in cobbler.node_validate(answers)] == codes


def test_cobbler_is_not_spoken_to_over_plain_http_unasked() -> None:
    assert cobbler.node_register(State(sections={"cobbler": {"server": "http://cobbler"}})) == ()
    asked = State(sections={"cobbler": {"server": "http://cobbler", "trust": "network"}})
    assert [backend.name for backend in cobbler.node_register(asked)] == ["cobbler"]


def test_interfaces_for_cobbler_are_those_that_it_lacks() -> None:
    nics = (
        Nic("eno1", "52:54:00:00:00:01", addresses=("192.0.2.7/24",)),
        # A bond gave it another address than its own.
        Nic("eno2", "52:54:00:00:00:01", permanent_mac="52:54:00:00:00:02"),
        Nic("eno3", "52:54:00:00:00:03"),
    )
    known = {"a": {"mac_address": "52:54:00:00:00:03".upper()}}
    assert interface_words(Inventory(nics=nics), known) == [
        {
            "macaddress-eno1": "52:54:00:00:00:01",
            "ipaddress-eno1": "192.0.2.7",
            "netmask-eno1": "255.255.255.0",
        },
        {"macaddress-eno2": "52:54:00:00:00:02"},
    ]


def test_a_token_on_the_kernel_command_line_is_one_that_was_made_for_that() -> None:
    models = {"registration": RegistrationAnswers, "storage": StorageAnswers}
    file = Layer(Precedence.FILE, {"registration": {**SERVER, "token": TOKEN}}, "answers.yaml")

    def problems(token: str) -> list[Problem]:
        kernel = read_kernel_arguments(f"node.registration.token={token}", KnownKeys(models)).layer
        answers, wrong = validate(merge([file, kernel]), models)
        assert not wrong
        return list(registration.node_validate(answers))

    assert problems("nck_made-for-that") == []
    (problem,) = problems("nct_of-many-uses")
    assert (problem.code, problem.where) == ("token-not-for-kernel", "registration.token")
    assert "nct_of" not in str(problem)
    assert not registration.node_validate(answered(registration={**SERVER, "token": TOKEN})[0])


@pytest.mark.parametrize("prefix", ["", "node.legacy."])
def test_the_names_of_old_nodes(prefix: str) -> None:
    line = f"{prefix}management_server=engine.example.org:8443 {prefix}management_server_fingerprint={PIN}"
    found = read_kernel_arguments(line, KnownKeys(load_plugins().models()))
    assert found.problems == ()
    assert found.layer.values["registration"] == {
        "server": "https://engine.example.org:8443",
        "fingerprint": PIN,
    }
    assert "management_server" in str(found.layer.origin("registration.server"))


def test_the_status_says_where_it_stands_and_what_is_to_be_done() -> None:
    assert lines(None) == lines({}) == ()
    (one,) = lines({"asked": ["server"], "backends": {}})
    # A start is no fault.
    assert (one.term, one.healthy) == ("registration", True)
    told = {
        "standing": "refused",
        "words": "the token's time is over",
        "mend": "Make one",
        "terms": [["a", "b"]],
    }
    found = lines({"asked": ["cobbler", "server"], "backends": {"server": told}})
    assert [(line.term, line.value, line.healthy) for line in found] == [
        ("registration cobbler", "not tried yet since the start", True),
        ("registration", "the token's time is over", False),
        ("to be done", "Make one", True),
        ("a", "b", True),
    ]
    assert {line.topic for line in found} == {"registration"}
    for standing in ("pending", "waiting"):
        waits, mend, _ = lines({"asked": ["server"], "backends": {"server": {**told, "standing": standing}}})
        assert waits.healthy
        assert mend.value == "Make one"


def test_a_node_that_keeps_nothing_is_told_of_no_server() -> None:
    storage = {"disk": {"serial": "A"}, "roles": ["ROOT-A", "BOOT", "BIOS-GRUB"]}
    cobbled = {"server": "http://cobbler", "trust": "network"}
    answers, _ = answered(registration=SERVER, cobbler=cobbled, storage=storage)
    (ours,) = registration.node_validate(answers)
    (theirs,) = cobbler.node_validate(answers)
    assert ours.code == theirs.code == "registration-not-kept"
    assert (ours.where, theirs.where) == ("registration.server", "cobbler.server")
    answers, _ = answered(registration=SERVER, storage={**storage, "roles": [*storage["roles"], "CONFIG"]})
    assert registration.node_validate(answers) == ()
