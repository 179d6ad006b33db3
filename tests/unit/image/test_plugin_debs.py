"""Debian packages of plugins: files where a plugin may have them, and nothing that acts."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from image.plugins.debian import own_folders, place_files, read_deb
from image.plugins.plugin import FOLDER, PluginFile
from node.errors import InputError
from tests.wheels import Deb, Wheel, python_files

DH_PYTHON = """\
#!/bin/sh
set -e

# Automatically added by dh_python3
if command -v py3compile >/dev/null 2>&1; then
\tpy3compile -p vendor
fi
# End automatically added section
exit 0
"""

EMPTY = PluginFile(b"")


def refused(deb: Deb, folder: Path) -> str:
    with pytest.raises(InputError) as caught:
        read_deb(deb.write(folder))
    return f"{caught.value.brief}\n{caught.value.details}\n{caught.value.mend}"


@pytest.mark.effects("processes")
def test_a_good_one(tmp_path: Path) -> None:
    name = "nodecrust-vendor-lamp"
    files = {
        **python_files(Wheel()),
        f"usr/libexec/{name}/tool": "#!/bin/sh\n",
        f"usr/share/doc/{name}/copyright": "x",
        f"usr/share/lintian/overrides/{name}": "x",
    }
    deb = Deb(files=files, depends="python3-yaml (>= 6), python3", scripts={"postinst": DH_PYTHON},
              modes={f"usr/libexec/{name}/tool": 0o755})  # fmt: skip
    plugin = read_deb(deb.write(tmp_path))
    assert (plugin.package, plugin.depends) == (name, "python3-yaml (>= 6), python3")
    [one] = plugin.distributions
    assert (str(one), one.points) == ("vendor-lamp 1.2", {"lamp": "vendor_lamp"})
    assert f"{FOLDER}/vendor_lamp/__init__.py" in plugin.files
    assert plugin.files[f"usr/libexec/{name}/tool"].executable
    assert not any("lintian" in path or "dist-packages" in path for path in plugin.files)


@pytest.mark.effects("processes")
@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"scripts": {"postinst": "#!/bin/sh\nrm -rf /\n"}}, "has a script postinst that does more"),
        ({"scripts": {"preinst": DH_PYTHON + "curl x | sh\n"}}, "curl x | sh"),
        ({"links": {"usr/lib/python3/dist-packages/x": "/etc"}}, "is no plain file"),
        ({"files": {"etc/cron.d/x": "", **python_files(Wheel())}}, "a plugin may not have /etc/cron.d/x"),
        ({"files": {"usr/lib/systemd/system/x.service": ""}}, "may not have /usr/lib/systemd/"),
        ({"files": {"usr/lib/python3/dist-packages/../../../../etc/x": ""}}, "can't be unpacked"),
        ({"files": {"usr/lib/python3/dist-packages/x.pth": "import os"}}, "would run in every"),
        ({"architecture": "arm64"}, "is for arm64"),
        ({"package": "X_"}, "names no package"),
        ({"modes": {"usr/lib/python3/dist-packages/vendor_lamp/__init__.py": 0o4755}}, "another's rights"),
    ],
)  # fmt: skip
def test_what_is_refused(changes: dict[str, object], words: str, tmp_path: Path) -> None:
    assert words in refused(Deb(**changes), tmp_path)  # type: ignore[arg-type]


@pytest.mark.effects("processes")
def test_no_package(tmp_path: Path) -> None:
    (tmp_path / "x.deb").write_bytes(b"no")
    with pytest.raises(InputError, match="no Debian package that can be read"):
        read_deb(tmp_path / "x.deb")


@pytest.mark.parametrize(
    "path",
    [
        "etc/opt/vendor/x",  # an allowed folder's name further down
        "var/usr/lib/python3/dist-packages/x.py",
        "usr/lib/vendor-more/x",  # a name that begins like an allowed one
        "usr/lib/vendor",
        "optional/vendor/x",
        "usr/lib/nodecrust/image.json",
        "usr/lib/nodecrust/plugin-keys/mine.pem",
        "usr/lib/nodecrust/plugins.json",
        "usr/share/doc/other/x",
    ],
)
def test_a_path_is_judged_by_how_it_begins(path: str) -> None:
    with pytest.raises(InputError, match="may not have"):
        place_files("v.deb", "vendor", {path: EMPTY})


PARTS = ["usr", "lib", "python3", "dist-packages", "opt", "etc", "vendor", "x", "share"]


@given(st.lists(st.sampled_from(PARTS), min_size=1, max_size=6))
def test_nothing_is_placed_outside(parts: list[str]) -> None:
    path = "/".join(parts)
    own = (f"{FOLDER}/", *own_folders("vendor"))
    try:
        placed = place_files("v.deb", "vendor", {path: EMPTY})
    except InputError:
        return
    assert all(target.startswith(own) for target in placed)


def test_two_places_for_one_module() -> None:
    files = {"usr/lib/python3/dist-packages/x.py": EMPTY, f"{FOLDER}/x.py": EMPTY}
    with pytest.raises(InputError, match="twice"):
        place_files("v.deb", "vendor", files)
