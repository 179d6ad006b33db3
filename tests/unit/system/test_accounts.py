"""Names of the image's own accounts."""

from __future__ import annotations

from pathlib import Path

import pytest

from node.model.origin import Origin, Precedence
from node.system.accounts import check_account, system_names

ORIGIN = Origin(Precedence.SCREEN)


@pytest.fixture
def image(tmp_path: Path) -> Path:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/passwd").write_text(
        "root:x:0:0::/root:/bin/bash\nagent:x:998:998::/:/usr/sbin/nologin\njane:x:1000:1000::/home/jane:/bin/sh\n\nodd\n"
    )
    (tmp_path / "etc/group").write_text("root:x:0:\nvendor-users:x:997:\njane:x:1000:\n+::::\n")
    return tmp_path


def test_names_are_those_of_the_system_and_not_of_people(image: Path) -> None:
    assert system_names(image) == {"root", "agent", "vendor-users"}


@pytest.mark.parametrize(("name", "taken"), [("agent", True), ("vendor-users", True), ("jane", False)])
def test_a_user_takes_over_no_account_of_the_image(image: Path, name: str, taken: bool) -> None:
    found = check_account(name, where="access.admin.name", origin=ORIGIN, image=image)
    assert [problem.code for problem in found] == (["user-name-taken"] if taken else [])


def test_without_an_image_nothing_is_known(tmp_path: Path) -> None:
    assert system_names(tmp_path) == frozenset()
