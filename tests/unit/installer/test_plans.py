"""Recorded machines and answers to whole plans by the built-in plugins; `--snapshot-update` rewrites them."""

from __future__ import annotations

import json

import pytest
from syrupy.assertion import SnapshotAssertion

from node.installer.document import read_document
from node.installer.flow import load_plugins, look
from node.installer.plan_text import plan_lines, plan_to_json
from node.testing.machines import machine, machine_names

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFaeEkzI6P3YUIuqGHKPbZmKBGSMrEWEgwVa5DPfFOgO me"
BASE = f"version: 1\ninstall: {{mode: unattended}}\naccess: {{admin: {{ssh_keys: ['{KEY}']}}}}\n"

CASES = [
    *((name, "") for name in machine_names()),
    ("server-nvme-pair", "storage: {disk: {serial: S43FNX0M100002}}"),
    ("server-sata-data", "storage: {disk: {prefer: largest}}"),
    ("server-sata-data", "storage: {disk: {serial: ZDH1ABCD}, consent: [ZDH1ABCD]}"),
    ("server-foreign-lvm", "storage: {consent: [WD-WCC4N1234567]}"),
    ("vm-half-installed", "storage: {consent: [NODE0001], keep: true}"),
    ("vm-two-equal", "storage: {disk: {prefer: smallest}}"),
    ("vm-virtio-blank", "storage: {roles: [CONFIG]}"),
    ("vm-virtio-blank", "storage: {roles: [SWAP, CONFIG, LOGGING, DATA]}"),
]


@pytest.fixture(autouse=True)
def _no_outside_plugins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NODECRUST_PLUGINS", "")


# netplan is asked in a helper process.
@pytest.mark.effects("processes")
@pytest.mark.parametrize(("name", "more"), CASES, ids=[f"{name} {more}".strip() for name, more in CASES])
def test_plan(name: str, more: str, snapshot: SnapshotAssertion):
    layer, problems = read_document(f"{BASE}{more}\n".encode(), name="answers.yaml")
    inventory = machine(name)
    seen = look(load_plugins(), [layer], inventory, problems=problems, for_show=True)
    lines = plan_lines(seen.plan, inventory)
    assert max(map(len, lines)) <= 80
    assert "\n".join(lines) == snapshot
    data = json.loads(plan_to_json(seen.plan, inventory))
    assert data["refused"] is seen.plan.refused
    assert bool(data["exit_code"]) is seen.plan.refused
    assert len(data["steps"]) == len(seen.plan.steps)
    again = look(load_plugins(), [layer], inventory, problems=problems, for_show=True)
    assert plan_to_json(again.plan, inventory) == plan_to_json(seen.plan, inventory)


@pytest.mark.effects("processes")
def test_no_plan_shows_a_secret():
    secret = "$y$j9T$abcdefghijklmnop$ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopq"
    text = BASE.replace("admin: {", f"admin: {{password_hash: {secret!r}, ")
    layer, problems = read_document(text.encode(), name="answers.yaml")
    inventory = machine("vm-virtio-blank")
    seen = look(load_plugins(), [layer], inventory, problems=problems, for_show=True)
    assert seen.plan.steps
    shown = plan_to_json(seen.plan, inventory) + "\n".join(plan_lines(seen.plan, inventory))
    assert secret not in shown
    assert secret[12:30] not in shown
