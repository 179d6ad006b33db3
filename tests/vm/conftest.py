"""The image under test is built once, by the builder, and kept by content in the cache."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from node.testing.vm import choose_accel, make_ssh_key
from tests.vm.installed import Installed, installed_node
from tests.vm.site import Site

ROOT = Path(__file__).parents[2]
KICKSTART = ROOT / "kickstarts" / "node.ks"


# Where a boot takes three minutes, all stories take longer than `make test` may.
# These are `make test-vm-more`.
MORE = {
    "test_cobbler", "test_config_bad_state", "test_config_network", "test_config_power_cut",
    "test_config_pxe", "test_plugins", "test_pxe_first", "test_registration", "test_reinstall",
}  # fmt: skip


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in this folder boots QEMU."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.vm)
            if item.path.stem in MORE:
                item.add_marker(pytest.mark.more)


@pytest.fixture(scope="session")
def cache() -> Path:
    """The folder outside the checkout that outlives a run."""
    folder = Path(os.environ.get("NODECRUST_CACHE") or Path.home() / ".cache" / "nodecrust") / "tests"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def image(cache: Path) -> Path:
    """Give the built image: NODECRUST_TEST_IMAGE where that is set, else built by node-image."""
    if given := os.environ.get("NODECRUST_TEST_IMAGE"):
        return Path(given)
    return _build(KICKSTART, cache / "image")


@pytest.fixture(scope="session")
def newer_image(site: Site, cache: Path) -> Site:
    """Give the same site with the image that comes after the one under test."""
    return replace(site, image=_build(Path(__file__).with_name("newer.ks"), cache / "newer"))


def _build(kickstart: Path, output: Path) -> Path:
    with output.with_suffix(".lock").open("w") as lock:
        # Workers of one run meet here: the first builds, the others find it done.
        fcntl.flock(lock, fcntl.LOCK_EX)
        command = (
            str(Path(sys.executable).with_name("node-image")),
            "build",
            str(kickstart),
            "--output",
            str(output),
        )
        built = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        if built.returncode:
            pytest.fail(f"{' '.join(command)} exited with {built.returncode}:\n{built.stdout}{built.stderr}")
    return output


@pytest.fixture(scope="session")
def site(image: Path, cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Give what the stories share; only logs are left of it."""
    with (cache / "ssh-key.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        make_ssh_key(cache / "ssh-key")
    site = Site(
        image=image,
        folder=tmp_path_factory.mktemp("site"),
        cache=cache,
        accel=choose_accel(image / "vmlinuz", cache=cache),
    )
    yield site
    for path in (*site.folder.glob("*.iso"), *site.folder.glob("*/*.qcow2")):
        path.unlink()


@pytest.fixture(scope="session")
def installed(site: Site) -> Installed:
    """Give the disk of an installed node."""
    return installed_node(site)


@pytest.fixture(autouse=True)
def _leave_no_disks(site: Site) -> Iterator[None]:
    """Disks of a machine that is off are of no use to the next story; a running one has its pidfile."""
    yield
    for path in site.folder.glob("*/*.qcow2"):
        if not (path.parent / "qemu.pid").exists():
            path.unlink()
