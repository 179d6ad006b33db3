"""Wheels: pure ones are taken as they were built, others refused in words that name the file."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from image.plugins.given import notices, read_plugins
from image.plugins.plugin import FOLDER
from image.plugins.wheel import read_wheel
from node.errors import InputError
from tests.wheels import PLUGIN, Wheel


def refused(wheel: Wheel, folder: Path) -> str:
    with pytest.raises(InputError) as caught:
        read_wheel(wheel.write(folder))
    assert wheel.file_name in caught.value.brief
    return f"{caught.value.brief}\n{caught.value.details}\n{caught.value.mend}"


def test_a_good_one(tmp_path: Path) -> None:
    wheel = Wheel(
        requires=("pyyaml",), headers=("Requires-Python: >=3.11", "Keywords: lamp,nodecrust-api=1-3")
    )
    plugin = read_wheel(wheel.write(tmp_path))
    [one] = plugin.distributions
    assert (str(one), one.key, one.points) == ("vendor-lamp 1.2", "vendor-lamp", {"lamp": "vendor_lamp"})
    assert (one.requires, one.requires_python, one.api) == (("pyyaml",), ">=3.11", (1, 3))
    assert plugin.files[f"{FOLDER}/vendor_lamp/__init__.py"].data == PLUGIN.encode()
    assert f"{FOLDER}/{wheel.info}/entry_points.txt" in plugin.files
    record = plugin.record()
    assert record["file"] == wheel.file_name
    assert set(record["files"]) == set(plugin.files)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"tag": "cp313-cp313-linux_x86_64"}, "its tag is cp313-cp313-linux_x86_64"),
        ({"tag": "py3-none-manylinux_2_28_x86_64"}, "is no pure wheel"),
        ({"tag": "py2-none-any"}, "it is for Python 2"),
        ({"purelib": "false"}, "Root-Is-Purelib is not true"),
        ({"files": {"x/_fast.cpython-313-x86_64-linux-gnu.so": b""}}, "is code for a processor"),
        ({"files": {"x/lib/libx.so.1.2": b""}}, "is code for a processor"),
        ({"files": {"x/tool": b"\x7fELF\x02"}}, "x/tool is code for a processor"),
        ({"files": {"vendor_lamp-1.2.data/scripts/lamp": "#!python"}}, "files for other places"),
        ({"files": {"vendor_lamp-1.2.data/data/etc/passwd": ""}}, "files for other places"),
        ({"files": {"a.pth": "import os"}}, "would run in every Python program"),
        ({"files": {"../../../etc/cron.d/x": ""}}, "can't be unpacked"),
        ({"files": {"/etc/cron.d/x": ""}}, "can't be unpacked"),
        ({"links": {"vendor_lamp/link": "/etc/shadow"}}, "a symbolic link"),
        ({"lie": {"vendor_lamp/__init__.py": "sha256=AAAA"}}, "has another sha256 than its RECORD says"),
        ({"lie": {"vendor_lamp/__init__.py": "md5=AAAA"}}, "no SHA-256"),
        ({"lie": {"vendor_lamp/__init__.py": ""}}, "no SHA-256"),
        ({"lie": {"vendor_lamp/__init__.py": None}}, "is not in its RECORD"),
        ({"recorded": False}, "has no RECORD"),
        ({"file": "other-1.2-py3-none-any.whl"}, "another distribution or version"),
        ({"file": "vendor_lamp-1.3-py3-none-any.whl"}, "another distribution or version"),
        ({"file": "lamp.whl"}, "lamp.whl"),
        ({"points": {"lamp": "not a module!"}}, "is none"),
    ],
)  # fmt: skip
def test_what_is_refused(changes: dict[str, object], words: str, tmp_path: Path) -> None:
    assert words in refused(Wheel(**changes), tmp_path)  # type: ignore[arg-type]


def test_a_recorded_file_that_is_gone(tmp_path: Path) -> None:
    path = Wheel().write(tmp_path)
    with zipfile.ZipFile(path) as old:
        kept = {name: old.read(name) for name in old.namelist() if not name.endswith("__init__.py")}
    with zipfile.ZipFile(path, "w") as new:
        for name, data in kept.items():
            new.writestr(name, data)
    with pytest.raises(InputError, match="which its RECORD names, is missing"):
        read_wheel(path)


def test_metadata_of_another(tmp_path: Path) -> None:
    wheel = Wheel()
    wheel.metadata = lambda: {  # type: ignore[method-assign]
        **Wheel.metadata(wheel),
        f"{wheel.info}/METADATA": "Metadata-Version: 2.1\nName: other\nVersion: 1.2\n\n",
    }
    assert "says that it is other 1.2" in refused(wheel, tmp_path)


def test_old_and_new_python_in_one(tmp_path: Path) -> None:
    assert read_wheel(Wheel(tag="py2.py3-none-any").write(tmp_path)).distributions


def test_no_zip(tmp_path: Path) -> None:
    (tmp_path / "x-1-py3-none-any.whl").write_bytes(b"PK not")
    with pytest.raises(InputError, match="is damaged"):
        read_wheel(tmp_path / "x-1-py3-none-any.whl")


def read(folder: Path, *wheels: Wheel) -> str:
    with pytest.raises(InputError) as caught:
        read_plugins([wheel.write(folder) for wheel in wheels])
    return f"{caught.value.brief}\n{caught.value.details}\n{caught.value.mend}"


def test_all_that_is_wrong_is_said_at_once(tmp_path: Path) -> None:
    said = read(tmp_path, Wheel(purelib="false"), Wheel(name="b", files={"b.pth": ""}), Wheel(name="good"))
    assert "2 things are wrong" in said
    assert "Root-Is-Purelib" in said
    assert "b.pth" in said


def test_two_of_one_name(tmp_path: Path) -> None:
    assert "the distribution vendor-lamp" in read(tmp_path, Wheel(), Wheel(version="1.3"))
    other = Wheel(name="other", files={"other.py": ""})
    assert "the entry point lamp" in read(tmp_path, Wheel(), other)
    other = Wheel(name="other", points={"other": "vendor_lamp"})
    assert "the file usr/lib/nodecrust/plugins/vendor_lamp/__init__.py" in read(tmp_path, Wheel(), other)


def test_a_library_needs_a_plugin_that_needs_it(tmp_path: Path) -> None:
    library = Wheel(name="lamp-wire", points={}, files={"lamp_wire.py": ""})
    assert "is no plugin: it has no entry point in the group nodecrust" in read(tmp_path, library)
    both = read_plugins([library.write(tmp_path), Wheel(requires=("lamp_wire>=1",)).write(tmp_path)])
    assert [one.distributions[0].name for one in both] == ["lamp-wire", "vendor-lamp"]


@pytest.mark.parametrize(
    ("keyword", "said"), [("nodecrust-api=2", "version 2 of"), ("nodecrust-api=2-4", "version 2-4 of")]
)
def test_another_version_of_the_interface(keyword: str, said: str, tmp_path: Path) -> None:
    words = read(tmp_path, Wheel(headers=(f"Keywords: {keyword}",)))
    assert "vendor-lamp 1.2" in words
    assert said in words


def test_programs_are_not_put_on_the_path(tmp_path: Path) -> None:
    said = notices(read_plugins([Wheel(scripts=("lampctl",)).write(tmp_path)]))
    assert said == ["vendor_lamp-1.2-py3-none-any.whl: its programs (lampctl) are not put on the path"]


def test_what_is_no_plugin_file(tmp_path: Path) -> None:
    (tmp_path / "x.zip").write_bytes(b"")
    with pytest.raises(InputError, match="neither a wheel"):
        read_plugins([tmp_path / "x.zip"])
    with pytest.raises(InputError, match="there is no file"):
        read_plugins([tmp_path / "gone.whl"])
