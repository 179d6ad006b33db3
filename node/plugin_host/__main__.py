"""The zygote of a process that has threads already: `python -m node.plugin_host FD`."""

from __future__ import annotations

import importlib
import sys

from node.plugin_host.built_ins import BUILT_INS
from node.plugin_host.zygote import be_zygote

if __name__ == "__main__":
    # Each host would import them anew.
    for name in BUILT_INS:
        importlib.import_module(name)
    be_zygote(int(sys.argv[1]))
