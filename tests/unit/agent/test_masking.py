"""No secret in what is shown, and none lost by showing it."""

from __future__ import annotations

from typing import Any

import pytest

from node.agent.masking import CHANGED, difference, holds_secret, masked, to_yaml, unmasked
from node.model.mask import MASK
from tests.unit.agent.desk import MODELS

HASH, OTHER = "$y$j9T$abc$defghijk", "$y$j9T$abc$zzzzzzzz"
WIFI = {"wifis": {"w": {"access-points": {"net": {"auth": {"key-management": "psk", "password": "sesame"}}}}}}
SECTIONS = {
    "access": {"hash": HASH},
    "network": {"netplan": WIFI, "dns": ["1"]},
    "vendor": {"token": "t0ken"},
}


def test_secrets_of_models_of_netplan_and_of_strangers_are_masked() -> None:
    shown = masked(SECTIONS, MODELS)
    assert shown["access"]["hash"] == MASK
    assert shown["vendor"]["token"] == MASK
    assert shown["network"]["dns"] == ["1"]
    auth = shown["network"]["netplan"]["wifis"]["w"]["access-points"]["net"]["auth"]
    assert auth == {"key-management": "psk", "password": MASK}


def test_a_difference_says_that_a_secret_changed_and_not_to_what() -> None:
    text = difference(SECTIONS, {**SECTIONS, "access": {"hash": OTHER}}, MODELS)
    assert f"-  hash: '{MASK}'" in text
    assert f"+  hash: '{CHANGED}'" in text
    assert "$y$" not in text
    assert "sesame" not in text
    assert difference(SECTIONS, SECTIONS, MODELS) == ""


def test_stars_that_were_left_standing_are_the_secret_again() -> None:
    assert unmasked(masked(SECTIONS, MODELS), SECTIONS) == SECTIONS
    assert unmasked({"access": {"hash": OTHER}}, SECTIONS) == {"access": {"hash": OTHER}}
    # Where there was no secret, stars are what somebody typed.
    assert unmasked({"access": {"hash": MASK}}, {}) == {"access": {"hash": MASK}}


def test_stars_in_a_list_stay_with_their_item() -> None:
    one, two = ({"keys": {"shared": f"k{at}"}, "endpoint": f"h{at}"} for at in (1, 2))
    before = {"tunnels": {"wg0": {"peers": [one, two]}}}
    shown = masked({"network": before}, MODELS)["network"]
    peers = shown["tunnels"]["wg0"]["peers"]
    peers.reverse()
    assert unmasked(shown, before)["tunnels"]["wg0"]["peers"] == [two, one]
    peers[0]["endpoint"] = "h3"
    assert unmasked(shown, before)["tunnels"]["wg0"]["peers"][1] == one
    # Renamed, and another one gone: whose stars these are nobody knows.
    del peers[1]
    assert unmasked(shown, before)["tunnels"]["wg0"]["peers"][0]["keys"] == {"shared": MASK}


def test_sections_that_say_nothing_are_no_difference() -> None:
    assert difference({"network": {}}, {"vendor": {}}, MODELS) == ""


def test_lists_are_indented_below_their_key() -> None:
    assert to_yaml({"a": {"b": [1, {"c": [2]}]}}) == "a:\n  b:\n    - 1\n    - c:\n        - 2\n"


@pytest.mark.parametrize("name", ["key", "keys"])
def test_the_private_key_of_a_tunnel_in_short_is_masked(name: str) -> None:
    tunnels = {"wg0": {"mode": "wireguard", name: "s3cret"}, "wg1": {"keys": {"private": "s3cret"}}}
    assert "s3cret" not in str(masked({"network": {"netplan": {"tunnels": tunnels}}}, MODELS))


@pytest.mark.parametrize(
    ("path", "value", "secret"),
    [
        (("access", "hash"), HASH, True),
        (("access",), {"hash": HASH}, True),
        (("network", "netplan"), WIFI, True),
        (("network", "netplan", "tunnels", "wg0", "keys"), "x", True),
        (("network", "netplan", "tunnels"), {"wg0": {"key": "x"}}, True),
        (("network", "hostname"), "x", False),
        (("access", "hash"), None, False),
        (("stranger", "hash"), "x", False),
    ],
)
def test_what_must_not_stand_on_a_command_line(path: tuple[str, ...], value: Any, secret: bool) -> None:
    assert holds_secret(path, value, MODELS) is secret
