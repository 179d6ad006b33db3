"""image-minimizer: drops minus keeps, then the folders that this emptied."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from image.minimizer import Removal, Rule, parse, resolve
from image.origin import Origin

HERE = Origin(Path("x.ks"), 10)

FILES = frozenset(
    {
        "/usr/bin/perl",
        "/usr/lib/modules/6.1/kernel/sound/a/one.ko",
        "/usr/lib/modules/6.1/kernel/sound/b/two.ko",
        "/usr/lib/modules/6.1/kernel/net/three.ko",
        "/usr/share/man/man1/x.1",
        "/usr/share/man/de/man1/x.1",
        "/etc/only/file",
    }
)
FOLDERS = frozenset(
    parent
    for path in FILES | {"/var/empty/inside/x"}
    for parent in ("/" + str(one) for one in Path(path.lstrip("/")).parents if str(one) != ".")
)
PACKAGES = {"perl": ["/.", "/usr", "/usr/bin", "/usr/bin/perl", "/bin/perl"]}


def removal(script: str) -> Removal:
    rules, complaints = parse(script, HERE)
    assert complaints == []
    return resolve(rules, FILES, FOLDERS, PACKAGES)


def test_a_drop_takes_all_below_and_the_emptied_folders() -> None:
    gone = removal("drop /usr/share/man\n")
    assert gone.files == ("/usr/share/man/de/man1/x.1", "/usr/share/man/man1/x.1")
    assert gone.folders == (
        "/usr/share/man/de/man1",
        "/usr/share/man/de",
        "/usr/share/man/man1",
        "/usr/share/man",
        "/usr/share",
    )


def test_a_keep_wins_wherever_it_stands() -> None:
    for script in (
        "keep /usr/share/man/de\ndrop /usr/share/man\n",
        "drop /usr/share/man\nkeep /usr/share/man/de\n",
    ):
        gone = removal(script)
        assert gone.files == ("/usr/share/man/man1/x.1",)
        assert gone.folders == ("/usr/share/man/man1",)


def test_globs_stay_within_a_name_and_merged_folders_are_known() -> None:
    gone = removal("drop /lib/modules/*/kernel/sound\n")
    assert [path.rpartition("/")[2] for path in gone.files] == ["one.ko", "two.ko"]
    assert "/usr/lib/modules/6.1/kernel/sound" in gone.folders
    assert removal("drop /usr/*/man1\n").files == ()
    assert len(removal("drop /usr/**/man1\n").files) == 2
    assert removal("drop /usr/bin/per[kl]\n").files == ("/usr/bin/perl",)


def test_packages() -> None:
    assert removal("droprpm perl\n").files == ("/usr/bin/perl",)
    assert removal("droprpm perl\nkeeprpm perl\n").files == ()
    assert removal("droprpm perl\nkeep /usr/bin/perl\n").files == ()


def test_a_folder_that_was_empty_stays_unless_it_is_named() -> None:
    assert removal("drop /etc/only/file\n").folders == ("/etc/only", "/etc")
    assert removal("drop /var/empty\n").folders == ("/var/empty/inside", "/var/empty")
    assert "/var" not in removal("drop /var/empty\n").folders


def test_rules_that_meet_nothing_are_told() -> None:
    idle = removal("drop /no/such\n# a comment\n\nkeep /etc\ndroprpm nosuch\n").idle
    assert [(rule.subject, rule.origin.line) for rule in idle] == [("/no/such", 11), ("nosuch", 15)]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("remove /x", "knows no remove"),
        ("drop", "drop what?"),
        ("drop usr/share", "must start with /"),
    ],
)
def test_bad_rules(line: str, words: str) -> None:
    _, complaints = parse(f"# first\n{line}\n", HERE)
    assert str(complaints[0]).startswith("x.ks:12: ")
    assert words in complaints[0].message


NAMES = st.sampled_from(["a", "b", "c"])
PATHS = st.lists(NAMES, min_size=1, max_size=4).map(lambda parts: "/" + "/".join(parts))


def tree(paths: list[str]) -> tuple[set[str], set[str]]:
    """Files and folders of a tree that holds these paths; what is above another is a folder."""
    folders = {
        "/".join(path.split("/")[:count]) for path in paths for count in range(2, len(path.split("/")))
    }
    return set(paths) - folders, folders


def rules(verb: str, subjects: list[str]) -> list[Rule]:
    return [Rule(HERE, verb, subject) for subject in subjects]


@given(st.lists(PATHS), st.lists(PATHS), st.lists(PATHS))
def test_whatever_the_rules(paths: list[str], drops: list[str], keeps: list[str]) -> None:
    files, folders = tree(paths)
    asked = [*rules("drop", drops), *rules("keep", keeps)]
    gone = resolve(asked, files, folders, {})

    def below(path: str, subjects: list[str]) -> bool:
        return any(path == one or path.startswith(one + "/") for one in subjects)

    assert set(gone.files) == {one for one in files if below(one, drops) and not below(one, keeps)}
    left = (files - set(gone.files)) | (folders - set(gone.folders))
    # A folder goes only when all in it went, and before the one above it.
    for folder in gone.folders:
        assert not any(path.startswith(folder + "/") for path in left)
    assert [one.count("/") for one in gone.folders] == sorted(
        (one.count("/") for one in gone.folders), reverse=True
    )
    # The order of the rules means nothing, and a second run finds nothing more.
    turned = resolve(asked[::-1], files, folders, {})
    assert (turned.files, turned.folders) == (gone.files, gone.folders)
    again = resolve(asked, files - set(gone.files), folders - set(gone.folders), {})
    assert (again.files, again.folders) == ((), ())
