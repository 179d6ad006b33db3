"""No secret in what is shown, and none lost by showing it."""

from __future__ import annotations

from node.agent.masking import CHANGED, difference, masked, unmasked
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
