"""The kickstart that cobbler renders for a machine, fetched and taken as its answers."""

from __future__ import annotations

from pathlib import Path
from uuid import uuid4

import pytest

from node.installer.answers import merge, validate
from node.installer.flow import load_plugins
from node.installer.sources.gather import Gathered, local_layers, with_answers
from node.plugins.network import NetworkAnswers
from node.testing.fake_system import FakeSystem
from tests.cobbler.site import PASSWORD, USER, Cobbler

SHA512 = "$6$saltsalt$" + "a" * 86


def gathered(cobbler: Cobbler, profile: str, template: str, folder: Path, *, trust: bool = True) -> Gathered:
    """Have cobbler render a template for a machine, and gather what the machine's kernel arguments name."""
    token = cobbler.api.login(USER, PASSWORD)
    name = f"node-{uuid4().hex[:6]}"
    cobbler.api.write_autoinstall_template(f"{name}.ks", template, token)
    cobbler.system(name, profile, eth0="52:54:00:" + ":".join(uuid4().hex[at : at + 2] for at in (0, 2, 4)))
    handle = cobbler.api.get_system_handle(name, token)
    cobbler.api.modify_system(handle, "autoinstall", f"{name}.ks", token)
    cobbler.api.save_system(handle, token)
    line = f"node.answers={cobbler.plain}/cblr/svc/op/autoinstall/system/{name}"
    line += " node.answers.trust=network" if trust else ""
    local = local_layers(load_plugins().models(), image_answers=folder / "none", command_line=line)
    return with_answers(local, FakeSystem().commands)


@pytest.fixture(autouse=True)
def _no_outside_plugins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NODECRUST_PLUGINS", "")


def test_what_cobbler_renders_is_the_machine_s_answers(
    cobbler: Cobbler, profile: str, tmp_path: Path
) -> None:
    template = f"""\
# $name
text
rootpw --iscrypted {SHA512.replace("$", chr(92) + "$")}
timezone Europe/Prague --utc
network --hostname=$system_name
"""
    found = gathered(cobbler, profile, template, tmp_path)
    # It says on every console that the network is believed.
    assert [problem.severity.value for problem in found.problems] == ["warning"]
    answers, problems = validate(merge(found.layers), load_plugins().models())
    assert problems == ()
    assert answers[NetworkAnswers].hostname.startswith("node-")
    assert "line 5" in str(answers.origin("network.hostname"))
    assert "/cblr/svc/op/autoinstall/system/" in str(answers.origin("network.hostname"))


def test_its_default_password_hash_is_refused_in_words(
    cobbler: Cobbler, profile: str, tmp_path: Path
) -> None:
    found = gathered(cobbler, profile, "rootpw --iscrypted $default_password_crypted\n", tmp_path)
    _, problems = validate(merge(found.layers), load_plugins().models())
    assert [problem.code for problem in problems] == ["weak-password-hash"]
    assert "MD5 crypt" in problems[0].what


def test_every_line_of_its_sample_that_means_nothing_here_is_named(
    cobbler: Cobbler, profile: str, tmp_path: Path
) -> None:
    shipped = (cobbler.folder / "lib/templates/legacy.ks").read_text()
    found = gathered(cobbler, profile, shipped, tmp_path)
    named = {problem.where for problem in found.problems}
    assert {"auth", "firewall", "%pre", "%post"} <= named
    assert all("line" in str(p.origin) for p in found.problems if p.code.startswith("kickstart"))


def test_without_the_word_trust_nothing_is_fetched(cobbler: Cobbler, profile: str, tmp_path: Path) -> None:
    found = gathered(cobbler, profile, "lang en_US\n", tmp_path, trust=False)
    assert found.answers is None
    assert [problem.where for problem in found.problems] == ["node.answers"]
