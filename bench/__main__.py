"""Runs the benchmarks (all, or those named) and writes their sections of docs/benchmarks.md anew."""

from __future__ import annotations

import argparse
import importlib
import os
import platform
import re
import sys
from pathlib import Path

_ALL = (
    "payload",
    "startup",
    "images",
    "builds",
    "boot",
    "rendering",
    "kept",
    "screens",
    "registration",
    "plugins",
)
_PAGE = Path("docs/benchmarks.md")
_HEAD = """# Benchmarks

Each figure stands beside a peer's or a limit, both measured in the same run by the command shown. The machine
of these figures: {cpus} processors, {system}, QEMU without KVM. Expect ratios to hold elsewhere, not seconds.
"""


def main() -> int:
    """Measure what is asked for; 1 when an aim is missed."""
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("only", nargs="*", metavar="NAME", help=f"one of {', '.join(_ALL)}; all without")
    names = parser.parse_args().only or _ALL
    if unknown := set(names) - set(_ALL):
        parser.error(f"no such benchmark: {', '.join(sorted(unknown))}")
    sections = _read_sections()
    missed = 0
    for name in names:
        print(f"bench: {name} ...", flush=True)
        report = importlib.import_module(f"bench.{name}").measure()
        sections[report.title] = report.to_markdown()
        missed += sum(row.met is False for row in report.rows)
        print(sections[report.title], flush=True)
        _PAGE.write_text(
            "\n".join([_HEAD.format(cpus=os.cpu_count(), system=_system()), *sections.values()]),
            encoding="utf-8",
        )
    return 1 if missed else 0


def _read_sections() -> dict[str, str]:
    """Give the page's present sections by title, so that measuring one leaves the others."""
    text = _PAGE.read_text(encoding="utf-8") if _PAGE.exists() else ""
    parts = re.split(r"^## (.+)$", text, flags=re.MULTILINE)[1:]
    return {
        title: f"## {title}{body.rstrip()}\n" for title, body in zip(parts[::2], parts[1::2], strict=True)
    }


def _system() -> str:
    return platform.freedesktop_os_release().get("PRETTY_NAME", "Linux")


if __name__ == "__main__":
    sys.exit(main())
