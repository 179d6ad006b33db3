"""Reads DMI, sensors and SMART. Nothing here raises: what can't be read is left out or said."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

DMI, HWMON = Path("/sys/class/dmi/id"), Path("/sys/class/hwmon")
# The serial numbers are in the inventory; what is worth telling beside it, as the kernel names it.
DMI_NAMES = ("bios_vendor", "bios_version", "bios_date", "board_vendor", "board_name", "board_version",
             "chassis_type", "chassis_asset_tag")  # fmt: skip
DISK_S, ALL_S = 5.0, 20.0
# smartctl(8), "EXIT STATUS": bit 3, the disk is failing.
FAILING = 0x08

Smartctl = Callable[[str], str]


def dmi(folder: Path = DMI) -> dict[str, str]:
    """Give what the firmware says of the machine, by the kernel's names."""
    return {name: text for name in DMI_NAMES if (text := _text(folder / name))}


def sensors(folder: Path = HWMON) -> dict[str, dict[str, float]]:
    """Give temperatures in degrees Celsius: chip and label -> `now` and, where it has one, `critical`."""
    found = {}
    for path in sorted(folder.glob("hwmon*/temp*_input")):
        stem = path.name.removesuffix("_input")
        now = _celsius(path)
        if now is None:
            continue
        chip = _text(path.parent / "name") or path.parent.name
        entry = {"now": now}
        critical = _celsius(path.with_name(f"{stem}_crit"))
        if critical is not None and critical > 0:
            entry["critical"] = critical
        found[f"{chip} {_text(path.with_name(f'{stem}_label')) or stem}"] = entry
    return found


def smart(nodes: Iterable[str], ask: Smartctl | None = None) -> dict[str, dict[str, Any]]:
    """Give for each disk: `passed`, `firmware`, `family`, or `fault` with why it isn't known.

    Counters that go up by themselves are left out: each change would be sent to the server.
    """
    ask = ask or smartctl
    until = time.monotonic() + ALL_S
    found: dict[str, dict[str, Any]] = {}
    for node in nodes:
        if time.monotonic() > until:
            found[node] = {"fault": "no time was left for it"}
            continue
        try:
            data = json.loads(ask(node))
        except FileNotFoundError:
            return {"": {"fault": "smartctl is not installed (package smartmontools)"}}
        except subprocess.TimeoutExpired:
            found[node] = {"fault": f"no answer within {DISK_S:.0f} s"}
        except (OSError, ValueError):
            found[node] = {"fault": "smartctl printed nothing that can be understood"}
        else:
            found[node] = _of_smart(data if isinstance(data, Mapping) else {})
    return found


def smartctl(node: str) -> str:
    """Ask one disk; one that sleeps is left asleep."""
    argv = ["smartctl", "--json", "--health", "--info", "--nocheck=standby,0", node]
    return subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=DISK_S,
                          check=False).stdout  # fmt: skip


def _of_smart(data: Mapping[str, Any]) -> dict[str, Any]:
    status = data.get("smart_status")
    found: dict[str, Any] = {}
    if isinstance(status, Mapping) and isinstance(status.get("passed"), bool):
        found["passed"] = status["passed"]
    elif isinstance(data.get("smartctl"), Mapping) and int(data["smartctl"].get("exit_status", 0)) & FAILING:
        found["passed"] = False
    else:
        found["fault"] = "it tells nothing of its health"
    for name, key in (("firmware", "firmware_version"), ("family", "model_family")):
        if isinstance(data.get(key), str):
            found[name] = data[key]
    return found


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""


def _celsius(path: Path) -> float | None:
    try:
        return int(_text(path)) / 1000
    except ValueError:
        return None
