"""Which plugins there are, and which are loaded, by metadata alone."""

from __future__ import annotations

from importlib.metadata import Distribution, PathDistribution
from pathlib import Path

import pytest

from node.boot.rendering import render
from node.model.problem import Severity
from node.model.state import State
from node.plugin_host.choosing import Choice, Wish, choose
from node.plugin_host.finding import Outside, api_range, find_outside
from node.plugin_manager import ABSENT, OFF, Plugins

BUILT_INS = ("storage", "bootloader", "cobbler")


def distribution(folder: Path, name: str, points: str, head: str = "", version: str = "1.0") -> Distribution:
    info = folder / f"{name.replace('-', '_')}-{version}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{head}\nKeywords: text\n"
    )
    (info / "entry_points.txt").write_text(points)
    return PathDistribution(info)


@pytest.mark.parametrize(
    ("keywords", "found"),
    [
        ("nodecrust-api=1", (1, 1)),
        ("raid,nodecrust-api=2-4,storage", (2, 4)),
        ("raid nodecrust-api=3 storage", (3, 3)),
        ("raid", (1, 1)),
        ("", (1, 1)),
        ("my-nodecrust-api=7", (1, 1)),
        ("nodecrust-api=x", (1, 1)),
    ],
)
def test_the_range_of_versions_is_a_keyword(keywords: str, found: tuple[int, int]) -> None:
    assert api_range(keywords) == found


def test_plugins_are_found_by_name_with_their_distribution(tmp_path: Path) -> None:
    found = find_outside(
        [
            distribution(
                tmp_path,
                "zeta",
                "[nodecrust]\nb-raid = zeta.raid:plugin\n",
                "Keywords: raid,nodecrust-api=1-2\n",
            ),
            distribution(
                tmp_path, "alpha", "[nodecrust]\na-raid = alpha\n\n[nodecrust.replaces]\na-raid = storage\n"
            ),
            distribution(tmp_path, "other", "[console_scripts]\nother = other:main\n"),
        ]
    )
    assert found == (
        Outside("a-raid", "alpha", "alpha", "1.0", (1, 1), ("storage",)),
        Outside("b-raid", "zeta.raid:plugin", "zeta", "1.0", (1, 2)),
    )


def test_the_first_of_a_distribution_on_the_path_counts(tmp_path: Path) -> None:
    one, two = (tmp_path / name for name in "12")
    for folder in (one, two):
        folder.mkdir()
    points = "[nodecrust]\nraid = raid\n"
    first = distribution(one, "Acme.Raid", points, version="2")
    assert [found.version for found in find_outside([first, distribution(two, "acme-raid", points)])] == ["2"]


def test_one_that_cannot_be_read_is_none(tmp_path: Path) -> None:
    info = tmp_path / "bad-1.dist-info"
    info.mkdir()
    (info / "entry_points.txt").write_bytes(b"[nodecrust]\nx = \xff\n")
    (info / "METADATA").write_text("Name: bad\n")
    assert find_outside([PathDistribution(info)]) == ()


def outside(name: str, **options: object) -> Outside:
    return Outside(name, name, f"{name}-dist", "1.0", **options)  # type: ignore[arg-type]


def chosen(*found: Outside, wish: str | None = None) -> Choice:
    return choose(found, BUILT_INS, Wish.read(wish))


@pytest.mark.parametrize(
    ("wish", "built_in", "names"),
    [
        (None, BUILT_INS, ["a", "b"]),
        ("", BUILT_INS, []),
        ("b", BUILT_INS, ["b"]),
        ("-b", BUILT_INS, ["a"]),
        ("a,b,-a", BUILT_INS, ["b"]),
        ("-cobbler, -a", ("storage", "bootloader"), ["b"]),
    ],
)
def test_what_is_loaded_can_be_limited(wish: str | None, built_in: tuple[str, ...], names: list[str]) -> None:
    choice = chosen(outside("a"), outside("b"), wish=wish)
    assert (choice.built_in, [one.name for one in choice.outside]) == (built_in, names)
    assert not choice.refused


def test_one_that_replaces_a_built_in_takes_its_place() -> None:
    choice = chosen(outside("acme-boot", replaces=("bootloader",)))
    assert choice.built_in == ("storage", "cobbler")
    assert choice.left_out == {"bootloader": "plugin acme-boot stands in for it"}
    assert [one.name for one in choice.outside] == ["acme-boot"]


def test_it_may_have_the_name_of_what_it_replaces() -> None:
    choice = chosen(outside("bootloader", replaces=("bootloader",)))
    assert choice.built_in == ("storage", "cobbler")
    assert [one.name for one in choice.outside] == ["bootloader"]


@pytest.mark.parametrize(
    ("plugins", "words"),
    [
        ([outside("a", api=(2, 2))], "wants version 2 of the plugin interface; this is 1"),
        ([outside("a", api=(3, 5))], "wants versions 3 to 5 of the plugin interface; this is 1"),
        ([outside("a", api=(0, 0))], "wants version 0 of the plugin interface; this is 1"),
        ([outside("A b")], "has a name that can't be one"),
        ([outside("../x")], "has a name that can't be one"),
        ([outside("storage")], "has the name of a built-in plugin"),
        ([outside("a"), Outside("a", "x", "z-dist", "2")], "has the name of the plugin of a-dist 1.0"),
        ([outside("a", replaces=("bootlader",))], "stands in for 'bootlader', which is no built-in plugin"),
        (
            [outside("a", replaces=("storage",)), outside("b", replaces=("storage",))],
            "stands in for storage, as plugin a does",
        ),
    ],
)  # fmt: skip
def test_what_can_not_be_loaded_is_refused_in_words(plugins: list[Outside], words: str) -> None:
    choice = chosen(outside("good"), *plugins)
    (refused,) = choice.refused
    assert refused.why == words
    assert refused.plugin is plugins[-1]
    assert choice.outside[0].name == "good"


def test_what_a_refused_one_was_to_replace_stays_off() -> None:
    choice = chosen(outside("acme-boot", replaces=("bootloader",), api=(7, 7)))
    assert choice.built_in == ("storage", "cobbler")
    assert [one.plugin.name for one in choice.refused] == ["acme-boot"]


def test_a_name_in_the_wish_that_is_not_here_is_told_with_the_nearest(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    blade = Outside("acme-blade", "acme_blade.plugin", "acme-blade", "1")
    choice = choose([blade], BUILT_INS, Wish.read("acme_blade,-nonsense,-storage"))
    assert choice.absent == {"acme_blade": "acme-blade", "nonsense": ""}
    assert not choose([blade], BUILT_INS, Wish.read("acme-blade")).absent
    assert not choose([blade], BUILT_INS, Wish.read("")).absent
    monkeypatch.setenv("NODECRUST_PLUGINS", "-storige,-nonsense")
    plugins = Plugins()
    plugins.load()
    told = [str(problem) for problem in plugins.problems if problem.code == ABSENT]
    assert told == [
        "NODECRUST_PLUGINS: names 'nonsense', which is not here. See nodectl plugins",
        "NODECRUST_PLUGINS: names 'storige', which is not here. Did you mean storage?",
    ]
    assert {problem.severity for problem in plugins.problems} == {Severity.WARNING}
    assert not render(plugins, State()).failures, "a start is not bad for it"


def test_a_built_in_that_is_left_out_is_told_unless_something_stands_in_for_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    without = Wish.read("-bootloader")
    assert choose([], BUILT_INS, without).missing == ("bootloader",)
    assert choose([outside("acme-boot", replaces=("bootloader",))], BUILT_INS, without).missing == ()
    assert choose([outside("acme-boot", replaces=("bootloader",))], BUILT_INS, Wish()).missing == ()
    monkeypatch.setenv("NODECRUST_PLUGINS", "-bootloader")
    plugins = Plugins()
    plugins.load()
    (told,) = plugins.problems
    assert (told.code, told.severity) == (OFF, Severity.WARNING)
    assert str(told) == (
        "NODECRUST_PLUGINS: leaves out 'bootloader', whose part nothing else does."
        " Leave it in, unless that is meant"
    )
    assert not render(plugins, State()).failures, "a start is not bad for it"
