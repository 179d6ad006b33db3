"""A fake machine on which a step fails, or is killed, at its Nth call; its state survives the process."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from node.model.inventory import Inventory
from node.testing.fake_system import FakeSystem


class StumblingSystem(FakeSystem):
    """Calls `stumble` once, in the place of the call whose number is `at` (from 1); 0 for never."""

    def __init__(
        self, inventory: Inventory, *, at: int = 0, stumble: Callable[[], None] = lambda: None
    ) -> None:
        super().__init__(inventory)
        self._at = at
        self._stumble = stumble

    def record(self, name: str, **arguments: Any) -> None:
        """Remember a call, unless it is the one."""
        if len(self.calls) + 1 == self._at:
            self._at = 0
            self._stumble()
        super().record(name, **arguments)

    def state(self) -> str:
        """Give what would be on the machine, as JSON."""
        return json.dumps(
            {
                "files": {str(path): _text(data) for path, data in sorted(self.file_contents.items())},
                "mounted": {str(path): node for path, node in sorted(self.mounted.items())},
                "devices": {node: _text(bytes(data)) for node, data in sorted(self.devices.items())},
                "boot_order": list(self.boot_order),
                "boot_labels": dict(sorted(self.boot_labels.items())),
            }
        )

    def restore(self, state: str) -> None:
        """Take over what `state` gave on another one, as a machine that was switched on again: unmounted."""
        data = json.loads(state)
        self.file_contents = {Path(path): _bytes(text) for path, text in data["files"].items()}
        self.devices = {node: bytearray(_bytes(text)) for node, text in data["devices"].items()}
        self.boot_order = tuple(data["boot_order"])
        self.boot_labels = data["boot_labels"]


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _bytes(text: str) -> bytes:
    return base64.b64decode(text)
