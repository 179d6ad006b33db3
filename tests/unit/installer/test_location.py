from __future__ import annotations

from pathlib import Path

import pytest

from node.installer.sources.location import Scheme, locate
from node.model.problem import Severity

SHA = "ab" * 32
NOWHERE = Path("/nonexistent")


def find(**own: str):
    named = {name.replace("_", "."): value for name, value in own.items()}
    location, problems = locate(named, image_ca=NOWHERE, medium_ca=NOWHERE)
    return location, [(p.where, p.severity) for p in problems]


@pytest.mark.parametrize(
    "own",
    [
        {"answers": "medium:/answers.yaml"},
        {"answers": "/etc/answers.yaml"},
        {"answers": "file:/etc/answers.yaml"},
        {"answers": "http://h/a", "answers_sha256": SHA},
        {"answers": "tftp://h/a", "answers_sha256": SHA.upper()},
        {"answers": "https://h:8443/a", "answers_ca": ":".join(["ab"] * 32)},
        {"answers": "https://h/a", "answers_ca": "/etc/ca.pem"},
        {"answers": "https://h/a", "answers_sha256": SHA},
    ],
)
def test_what_can_be_checked_is_taken(own: dict[str, str]):
    location, problems = find(**own)
    assert location
    assert location.checked
    assert not problems


@pytest.mark.parametrize("scheme", ["http", "https", "tftp"])
def test_the_bare_network_is_refused_unless_it_is_trusted_on_purpose(scheme: str):
    assert find(answers=f"{scheme}://h/a") == (None, [("node.answers", Severity.ERROR)])
    location, problems = find(answers=f"{scheme}://h/a", answers_trust="network")
    assert location
    assert not location.checked
    assert problems == [("node.answers.trust", Severity.WARNING)]


@pytest.mark.parametrize(
    ("own", "where"),
    [
        ({"answers": "ftp://h/a"}, "node.answers"),
        ({"answers": "http:///a"}, "node.answers"),
        ({"answers": "http://[1/a"}, "node.answers"),
        ({"answers": "https://h:99999/a"}, "node.answers"),
        ({"answers": "http://h:0/a"}, "node.answers"),
        ({"answers": "medium:"}, "node.answers"),
        ({"answers": "medium:/../etc/shadow"}, "node.answers"),
        ({"answers": "answers.yaml"}, "node.answers"),
        ({"answers": "http://h/a", "answers_sha256": "ab"}, "node.answers.sha256"),
        ({"answers": "https://h/a", "answers_ca": "ab"}, "node.answers.ca"),
        ({"answers": "medium:/a", "answers_trust": "me"}, "node.answers.trust"),
        ({"answers_sha256": SHA}, "node.answers.sha256"),
    ],
)
def test_what_makes_no_sense_is_a_problem(own: dict[str, str], where: str):
    location, problems = find(**own)
    assert location is None
    assert (where, Severity.ERROR) in problems


def test_nothing_named_is_no_problem():
    assert find(image="http://h/root.squashfs") == (None, [])


def test_the_image_s_ca_comes_before_the_medium_s(tmp_path: Path):
    image, medium = tmp_path / "ca.pem", tmp_path / "medium.pem"
    medium.touch()
    own = {"answers": "https://h/a"}
    assert locate(own, image_ca=image, medium_ca=medium)[0].ca_file == medium
    image.touch()
    assert locate(own, image_ca=image, medium_ca=medium)[0].ca_file == image


@pytest.mark.parametrize(
    "address",
    [
        "ftp://me:hunter2@h/a",
        "http://me:hunter2@h/a",
        "https://me:hunter2@h:99999/a",
        "http://me:hunter2@[1/a",
    ],
)
@pytest.mark.parametrize("trust", ["", "network"])
def test_no_problem_shows_the_password_of_an_address(address: str, trust: str):
    _, problems = locate({"answers": address, "answers.trust": trust})
    assert problems
    assert all("hunter2" not in str(problem) for problem in problems)


def test_a_password_in_an_address_is_not_shown():
    location, _ = find(answers="https://me:hunter2@h/a", answers_sha256=SHA)
    assert str(location) == "https://h/a"
    assert location.scheme is Scheme.HTTPS
