"""Imports one distribution's plugins as a node would; run with the image's own Python, in the image.

Alone in a file without any import of ours: what it needs it takes from the image.
"""

from __future__ import annotations

import importlib.metadata
import sys

from node.system.plugin_folders import add_to_path


def main() -> None:
    """Load every entry point of the distribution that is named; the first failure ends in words."""
    add_to_path()
    for point in importlib.metadata.distribution(sys.argv[1]).entry_points:
        if point.group == "nodecrust":
            try:
                point.load()
            except BaseException as error:
                words = " ".join(str(error).split())
                sys.exit(f"{point.name} = {point.value}: {type(error).__name__}: {words}")


if __name__ == "__main__":
    main()
