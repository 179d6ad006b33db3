"""Putting plugins into a tree: nothing of the image is replaced, hidden or led elsewhere."""

from __future__ import annotations

import json
from contextlib import nullcontext
from pathlib import Path

import pytest

from image.plugins import place, try_out
from image.plugins.given import read_plugins
from image.plugins.plugin import FOLDER, Distribution, Plugin, PluginFile
from image.plugins.requirements import DIST_PACKAGES
from node.errors import InputError
from tests.wheels import Wheel

STATUS = """\
Package: python3.13-minimal
Status: install ok installed
Version: 3.13.5-2+deb13u1

Package: nodecrust
Status: install ok installed
Version: 0.1.0

Package: vendor-there
Status: install ok installed
Version: 1
"""


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What of an image counts here; nothing is run in it."""
    folder = tmp_path / "tree"
    for name, text in {
        "var/lib/dpkg/status": STATUS,
        "usr/lib/python3.13/os.py": "",
        f"{DIST_PACKAGES}/yaml/__init__.py": "",
        f"{DIST_PACKAGES}/PyYAML-6.0.2.dist-info/METADATA": "Name: PyYAML\nVersion: 6.0.2\n",
        f"{DIST_PACKAGES}/node/__init__.py": "",
    }.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    monkeypatch.setattr(place, "mounted", lambda _: nullcontext())
    monkeypatch.setattr(place, "run_inside", lambda *_: "")
    monkeypatch.setattr(try_out, "try_out", lambda *_: None)
    return folder


def of(folder: Path, *wheels: Wheel) -> tuple[Plugin, ...]:
    return read_plugins([wheel.write(folder) for wheel in wheels])


def deb(package: str, *paths: str) -> Plugin:
    one = Distribution("vendor-tool", "1", {"tool": "vendor_tool"})
    return Plugin("tool.deb", "0" * 64, (one,), {path: PluginFile(b"x") for path in paths}, package)


def listing(tree: Path) -> dict[str, bytes]:
    return {str(path.relative_to(tree)): path.read_bytes() for path in tree.rglob("*") if path.is_file()}


def refused(tree: Path, *plugins: Plugin) -> str:
    before = listing(tree)
    with pytest.raises(InputError) as caught:
        place.place(tree, plugins)
    assert listing(tree) == before
    return f"{caught.value.brief}\n{caught.value.details}"


def test_files_and_a_record(tree: Path, tmp_path: Path) -> None:
    [record] = place.place(tree, of(tmp_path, Wheel(requires=("PyYAML>=6",))))
    assert record["distributions"] == [
        {"name": "vendor-lamp", "version": "1.2", "entry_points": {"lamp": "vendor_lamp"}}
    ]
    for path in record["files"]:
        assert (tree / path).stat().st_mode & 0o777 == 0o644
    assert place.read_record(tree) == [record]


def test_a_newer_one_replaces_it(tree: Path, tmp_path: Path) -> None:
    old = Wheel(files={"vendor_lamp/__init__.py": "", "vendor_lamp/old/gone.py": ""})
    other = Wheel(name="other", points={"other": "other"}, files={"other.py": ""})
    place.place(tree, of(tmp_path, old, other))
    (tree / FOLDER / "vendor_lamp/old/__pycache__").mkdir()
    (tree / FOLDER / "vendor_lamp/old/__pycache__/gone.cpython-313.pyc").write_bytes(b"x")
    records = place.place(tree, of(tmp_path, Wheel(version="2.0")))
    assert [record["distributions"][0]["version"] for record in records] == ["1.2", "2.0"]
    assert not (tree / FOLDER / "vendor_lamp/old").exists()
    assert not (tree / FOLDER / "vendor_lamp-1.2.dist-info").exists()
    assert (tree / FOLDER / "vendor_lamp-2.0.dist-info/METADATA").exists()
    assert (tree / FOLDER / "other.py").exists()


def test_the_same_again_is_the_same(tree: Path, tmp_path: Path) -> None:
    place.place(tree, of(tmp_path, Wheel()))
    before = listing(tree)
    place.place(tree, of(tmp_path, Wheel()))
    assert listing(tree) == before


def test_what_the_image_has(tree: Path, tmp_path: Path) -> None:
    yaml = Wheel(name="pyyaml", version="9", points={"y": "y"}, files={"y.py": ""})
    assert "the image has pyyaml 6.0.2" in refused(tree, *of(tmp_path, yaml))
    hides = Wheel(files={"yaml/__init__.py": ""}, points={"lamp": "yaml"})
    assert "a module yaml" in refused(tree, *of(tmp_path, hides))
    hides = Wheel(files={"json.py": ""}, points={"lamp": "json"})
    assert "Python's own module json" in refused(tree, *of(tmp_path, hides))
    hides = Wheel(files={"node/plugins/storage.py": ""})
    assert "a module node" in refused(tree, *of(tmp_path, hides))


def test_an_entry_point_of_another(tree: Path, tmp_path: Path) -> None:
    place.place(tree, of(tmp_path, Wheel()))
    other = Wheel(name="other", files={"other.py": ""}, points={"lamp": "other"})
    assert "the plugin lamp is vendor-lamp's already" in refused(tree, *of(tmp_path, other))


def test_a_package_of_the_image(tree: Path) -> None:
    assert "the package vendor-there already" in refused(tree, deb("vendor-there", "opt/vendor-there/x"))


def test_a_folder_of_another(tree: Path) -> None:
    (tree / "usr/lib/systemd/system").mkdir(parents=True)
    said = refused(tree, deb("systemd", "usr/lib/systemd/system/evil.service"))
    assert "the image has /usr/lib/systemd/, which it would replace" in said


def test_a_folder_of_its_own_again(tree: Path) -> None:
    place.place(tree, [deb("vendor-tool", "opt/vendor-tool/x", "opt/vendor-tool/y")])
    place.place(tree, [deb("vendor-tool", "opt/vendor-tool/y", "opt/vendor-tool/z")])
    assert sorted(path.name for path in (tree / "opt/vendor-tool").iterdir()) == ["y", "z"]


def test_a_link_leads_nowhere(tree: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tree / "opt").symlink_to(tmp_path / "elsewhere")
    assert "the image has /opt, which it would replace" in refused(tree, deb("tool", "opt/tool/x"))
    (tree / FOLDER).parent.mkdir(parents=True, exist_ok=True)
    (tree / FOLDER).symlink_to(tmp_path / "elsewhere")
    assert f"/{FOLDER}" in refused(tree, deb("tool", f"{FOLDER}/tool.py"))
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_nothing_is_written_where_something_is_missing(tree: Path, tmp_path: Path) -> None:
    said = refused(tree, *of(tmp_path, Wheel(requires=("pynetbox>=7",))))
    assert "vendor-lamp 1.2" in said
    assert "needs pynetbox>=7, which the image lacks" in said


@pytest.mark.parametrize(
    ("path", "package"),
    [("etc/shadow", None), (f"{FOLDER}/../../../../etc/shadow", None), ("opt/x/y", None), ("opt/x/y", "z"),
     ("/etc/shadow", "z")],
)  # fmt: skip
def test_a_record_that_names_what_is_no_plugin_s(
    tree: Path, tmp_path: Path, path: str, package: str | None
) -> None:
    """The image may be anybody's, and what its record names is removed."""
    (tree / place.RECORD).parent.mkdir(parents=True)
    one = {"name": "vendor-lamp", "version": "1", "entry_points": {}}
    record = {
        "file": "x",
        "distributions": [one],
        "files": {path: ""},
        **({"package": package} if package else {}),
    }
    (tree / place.RECORD).write_text(json.dumps({"format": 1, "plugins": [record]}))
    assert "which is no plugin's" in refused(tree, *of(tmp_path, Wheel()))


def test_a_record_of_the_future(tree: Path, tmp_path: Path) -> None:
    (tree / place.RECORD).parent.mkdir(parents=True)
    (tree / place.RECORD).write_text('{"format": 2}')
    assert "of a newer node-image" in refused(tree, *of(tmp_path, Wheel()))
