"""Processors and memory, from /proc."""

from __future__ import annotations

import re
from pathlib import Path

from node.model.inventory import Cpu


def find_cpu(proc: Path = Path("/proc")) -> Cpu:
    """Give the processors; OSError where /proc can't be read."""
    blocks = [
        dict(_pairs(block))
        for block in (proc / "cpuinfo").read_text(errors="replace").split("\n\n")
        if block.strip()
    ]
    blocks = [block for block in blocks if "processor" in block]
    if not blocks:
        return Cpu()
    first = blocks[0]
    sockets = {block.get("physical id", "0") for block in blocks}
    cores = {(block.get("physical id", "0"), block.get("core id", block["processor"])) for block in blocks}
    return Cpu(
        model=" ".join(first.get("model name", "").split()),
        vendor=first.get("vendor_id", ""),
        sockets=len(sockets),
        cores=len(cores),
        threads=len(blocks),
        flags=tuple(first.get("flags", first.get("Features", "")).split()),
    )


def find_memory(proc: Path = Path("/proc")) -> int:
    """Give the memory that the kernel has, in bytes; OSError or ValueError where it can't be read."""
    match = re.search(r"^MemTotal:\s+(\d+) kB$", (proc / "meminfo").read_text(), re.MULTILINE)
    if not match:
        raise ValueError("/proc/meminfo has no MemTotal")
    return int(match[1]) * 1024


def find_consoles(proc: Path = Path("/proc")) -> tuple[str, ...]:
    """Give the values of the running kernel's `console=` arguments, in order."""
    words = (proc / "cmdline").read_text(errors="replace").split()
    return tuple(word.removeprefix("console=") for word in words if word.startswith("console="))


def _pairs(block: str) -> list[tuple[str, str]]:
    lines = (line.partition(":") for line in block.splitlines())
    return [(key.strip(), value.strip()) for key, _, value in lines]
