"""Every screen as text, small and large, in English and Czech; `--snapshot-update` rewrites them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from syrupy.assertion import SnapshotAssertion

from node import locale
from node.installer.document import read_document
from node.installer.tui.effects import Ended
from node.installer.tui.run import Run
from node.model.event import Event, EventKind
from node.testing.screens import HASH, LARGE, SMALL, Desk

# netplan is asked in a helper process.
pytestmark = pytest.mark.effects("processes")

BOND = """
version: 1
network:
  hostname: node7
  netplan:
    ethernets: {eno1: {}, eno2: {}}
    bonds: {bond0: {interfaces: [eno1, eno2], parameters: {mode: 802.3ad, mii-monitor-interval: 100}}}
    vlans:
      bond0.100: {id: 100, link: bond0, dhcp4: false, accept-ra: true, addresses: [192.0.2.10/24],
        routes: [{to: default, via: 192.0.2.1}]}
  dns: [192.0.2.53]
access: {admin: {password_hash: HASH}}
""".replace("HASH", HASH)


def desk(name: str, text: str = "") -> Desk:
    if not text:
        return Desk(name)
    layer, problems = read_document(text.encode(), name="answers.yaml")
    return Desk(name, [layer], problems)


def page(name: str, key: str, text: str = "") -> Desk:
    one = desk(name, text)
    one.screens.show(key)
    return one


def consented() -> Desk:
    one = page("server-foreign-lvm", "summary")
    one.type("WD-WCC4N1234567")
    one.press("enter")
    return one


def broken_name() -> Desk:
    one = page("vm-virtio-blank", "network")
    one.type("not a name")
    one.press("tab")
    return one


def refused() -> Desk:
    one = broken_name()
    one.screens.show("summary")
    return one


def different_passwords() -> Desk:
    one = page("vm-virtio-blank", "access")
    one.press("tab")
    one.type("long and good")
    one.press("tab")
    one.type("long and bad")
    one.press("tab")
    return one


def picking() -> Desk:
    one = page("vm-virtio-blank", "language")
    one.press("tab", "tab", " ")
    one.type("europe/prag")
    return one


def help_text() -> Desk:
    one = page("vm-virtio-blank", "network")
    one.press("f1")
    return one


def asking() -> Desk:
    one = page("vm-virtio-blank", "summary", BOND.replace("eno", "ens"))
    one.session.local.clear()
    one = page("vm-virtio-blank", "summary")
    one.press("enter")
    return one


def running() -> Desk:
    one = desk("vm-virtio-blank")
    run = Run(one.session.view.best.plan)
    number, planned = next((n, p) for n, p in enumerate(run.plan.steps, 1) if p.phase == "payload")
    of = len(run.plan.steps)
    run.take(Event(EventKind.STEP_STARTED, 3.0, number, of, planned.step.summary()))
    for second in range(1, 5):
        done = 20 * second << 20
        run.take(Event(EventKind.STEP_PROGRESS, 3.0 + second, number, of, done=done, total=163 << 20))
    one.screens.installing._run = run
    one.screens._build["progress"] = lambda: _progress(run, one)
    one.screens.show("progress")
    return one


def _progress(run: Run, one: Desk):
    from node.installer.tui.running import ProgressPage

    return ProgressPage(run, one.session.disk)


def ended(code: int, machine: str = "server-foreign-lvm", text: str = "") -> Desk:
    one = page(machine, "summary", text)
    one.screens.installing._run = Run(one.session.view.best.plan, at_s=83.0)
    failed = Ended(
        code,
        "Copy the root image (163 MiB) to /dev/sda4: the disk does not answer",
        "CopyImage",
        "payload",
        "/dev/sda (serial WD-WCC4N1234567) is not bootable and has no partition table any more",
        "dd: error writing '/dev/sda4': Input/output error",
        "Look at its cables",
    )
    one.screens.installing._finish(failed if code else Ended(0))
    return one


def fallen() -> Desk:
    one = page("vm-virtio-blank", "network")
    one.screens._shown.parts[1].refresh = _raise  # type: ignore[method-assign]
    one.type("x")
    one.press("tab")
    return one


def _raise() -> None:
    raise ZeroDivisionError


SCREENS: dict[str, Callable[[], Desk]] = {
    "welcome": lambda: desk("laptop-nvme"),
    "welcome of an installed machine": lambda: desk("vm-installed"),
    "keyboard and time": lambda: page("vm-virtio-blank", "language"),
    "keyboard and time, picking": picking,
    "disk, one": lambda: page("vm-virtio-blank", "disk"),
    "disk, four": lambda: page("server-4tb-disks", "disk"),
    "disk, none": lambda: page("vm-no-disk", "disk"),
    "disk, boot medium": lambda: page("minipc-usb-boot", "disk"),
    "disk, foreign": lambda: page("server-foreign-lvm", "disk"),
    "sizes": lambda: page("vm-virtio-blank", "sizes"),
    "network": lambda: page("server-nvme-pair", "network"),
    "network, bond with a VLAN": lambda: page("server-nvme-pair", "network", BOND),
    "network, a problem": broken_name,
    "network, help": help_text,
    "access": lambda: page("vm-virtio-blank", "access"),
    "registration": lambda: page("vm-virtio-blank", "registration"),
    "access, two passwords": different_passwords,
    "derived from a model": lambda: page("vm-virtio-blank", "kernel"),
    "summary": lambda: page(
        "server-sata-data", "summary", BOND + "storage: {disk: {serial: S3Z8NB0K500001}}"
    ),
    "summary, consent": lambda: page("server-foreign-lvm", "summary"),
    "summary, consented": consented,
    "summary, refused": refused,
    "summary, the last question": asking,
    "progress": running,
    "done": lambda: ended(0, "server-sata-data", BOND + "storage: {disk: {serial: S3Z8NB0K500001}}"),
    "failed": lambda: ended(1),
    "a page that failed": fallen,
}


@pytest.mark.parametrize("size", [SMALL, LARGE], ids=["80x24", "132x43"])
@pytest.mark.parametrize("language", ["en", "cs"])
@pytest.mark.parametrize("name", SCREENS)
def test_screen(name: str, language: str, size: tuple[int, int], snapshot: SnapshotAssertion):
    locale.use(language)
    one = SCREENS[name]()
    assert one.text(size=size) == snapshot


@pytest.mark.parametrize("name", SCREENS)
def test_it_fits_in_ascii_too(name: str):
    locale.use("cs")
    lines = SCREENS[name]().lines(ascii_only=True)
    assert "".join(lines).isascii()
    assert not [line for line in lines if "?" * 2 in line]


@pytest.mark.parametrize("size", [(60, 16), (200, 60), (400, 200), (40, 12)])
@pytest.mark.parametrize("name", SCREENS)
def test_any_size_will_do(name: str, size: tuple[int, int]):
    SCREENS[name]().lines(size=size)


@pytest.mark.parametrize("language", ["en", "cs"])
def test_the_words_below_the_sizes_are_whole_at_80_columns(language: str):
    locale.use(language)
    one = page("server-foreign-lvm", "sizes")
    seen = []
    for _field in range(7):
        one.press("tab")
        below = one.text(size=SMALL).splitlines()[-6:-3]
        seen.append(" ".join(" ".join(below).split()))
    said = [words for words in seen if words]
    assert len(said) >= 6
    assert [words for words in said if not words.endswith(".")] == []
