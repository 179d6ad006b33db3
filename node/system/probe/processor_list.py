"""Every processor by itself, in what a management server wants of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any


def list_processors(proc: Path = Path("/proc"), sys: Path = Path("/sys")) -> list[dict[str, Any]]:
    """Give them in the kernel's order; an empty list where /proc can't be read.

    `speed_mhz` is the highest that it runs at where the kernel knows that, so that it is the same each time.
    `flags` are all of them.
    """
    try:
        text = (proc / "cpuinfo").read_text(errors="replace")
    except OSError:
        return []
    found = []
    for block in text.split("\n\n"):
        pairs = (line.partition(":") for line in block.splitlines())
        values = {key.strip(): value.strip() for key, _, value in pairs}
        if "processor" in values:
            found.append(_processor(values, sys))
    return found


def _processor(values: dict[str, str], sys: Path) -> dict[str, Any]:
    number = _number(values.get("processor", ""))
    return {
        "number": number,
        "socket": _number(values.get("physical id", "0")),
        "core": _number(values.get("core id", "")),
        "cores": _number(values.get("cpu cores", "")),
        "vendor": values.get("vendor_id", ""),
        "model_name": " ".join(values.get("model name", "").split()),
        "model": _number(values.get("model", "")),
        "family": _number(values.get("cpu family", "")),
        "cpuid_level": _number(values.get("cpuid level", "")),
        "speed_mhz": _speed(values, number, sys),
        "cache_kib": _number(values.get("cache size", "").removesuffix("KB").strip()),
        "flags": values.get("flags", values.get("Features", "")).split(),
    }


def _speed(values: dict[str, str], number: int | None, sys: Path) -> int | None:
    try:
        text = (sys / f"devices/system/cpu/cpu{number}/cpufreq/cpuinfo_max_freq").read_text()
        return int(text) // 1000
    except (OSError, ValueError):
        pass
    try:
        # Measured at each start, and a little different each time.
        return round(float(values.get("cpu MHz", "")) / 100) * 100
    except ValueError:
        return None


def _number(text: str) -> int | None:
    return int(text) if text.isdigit() else None
