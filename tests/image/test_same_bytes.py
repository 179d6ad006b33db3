"""An ordinary user and root make the same bytes, each from an empty cache."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from tests.image.conftest import KICKSTARTS, ROOT, node_image

USER = "nodecrust-test"

# The checkout and the interpreter may lie where only root comes: in a mount namespace of its own, the
# outermost folder that is closed is replaced by an open one that holds just these.
OPEN_UP = """
set -eu
umask 022
closed=
for path in "$@"; do
    mkdir -p "$HOLD$path"
    mount --bind "$path" "$HOLD$path"
    outermost=
    above=$path
    while [ "$above" != / ]; do
        above=$(dirname "$above")
        [ "$(( 0$(stat -c %a "$above") & 1 ))" = 1 ] || outermost=$above
    done
    case " $closed " in *" $outermost "*) ;; *) closed="$closed $outermost" ;; esac
done
for folder in $closed; do
    mount -t tmpfs -o mode=755 tmpfs "$folder"
done
for path in "$@"; do
    [ -d "$path" ] && [ -n "$(ls -A "$path")" ] && continue
    mkdir -p "$path"
    mount --bind "$HOLD$path" "$path"
done
"""

AS_USER = """
exec setpriv --reuid "$USER_NAME" --regid "$USER_NAME" --clear-groups \\
    env -i HOME="$CACHE" USER="$USER_NAME" LOGNAME="$USER_NAME" \\
    PATH=/usr/sbin:/usr/bin:/sbin:/bin PYTHONDONTWRITEBYTECODE=1 PYTHONPATH="$SOURCES" \\
    NODECRUST_CACHE="$CACHE/cache" TMPDIR=/var/tmp \\
    "$PYTHON" -P -m image.cli build "$KICKSTART" --output "$CACHE/out"
"""


@pytest.fixture
def user() -> str:
    """An ordinary user with subordinate ids."""
    if os.getuid() != 0:
        pytest.skip("only root can become somebody else")
    if subprocess.run(["id", USER], capture_output=True, check=False).returncode:
        subprocess.run(["useradd", "--create-home", USER], check=True)
    return USER


@pytest.mark.soak
def test_root_and_an_ordinary_user(user: str, tmp_path: Path) -> None:
    outcome = node_image(
        "build",
        KICKSTARTS / "aos.ks",
        "--output",
        tmp_path / "root",
        env={"NODECRUST_CACHE": str(tmp_path / "c")},
    )
    assert outcome.status == 0, outcome.stderr
    # Not below tmp_path, which is root's alone.
    home = Path(tempfile.mkdtemp(dir="/var/tmp"))
    try:
        subprocess.run(["chown", user, home], check=True)
        env = {
            **os.environ,
            "USER_NAME": user,
            "HOLD": str(tmp_path / "hold"),
            "CACHE": str(home),
            "SOURCES": str(ROOT),
            "PYTHON": sys.executable,
            "KICKSTART": str(KICKSTARTS / "aos.ks"),
        }
        needed = [str(ROOT), sys.base_prefix, sys.prefix]
        argv = ["unshare", "--mount", "sh", "-c", OPEN_UP + AS_USER, "sh", *dict.fromkeys(needed)]
        done = subprocess.run(argv, env=env, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        for name in ("vmlinuz", "initrd", "root.squashfs", "node.iso"):
            assert (home / "out" / name).read_bytes() == (tmp_path / "root" / name).read_bytes(), name
    finally:
        subprocess.run(["rm", "-rf", home], check=True)
