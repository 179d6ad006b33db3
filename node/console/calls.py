"""What the screens may ask of the process that has the rights, on one page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from node.console.views import Change, Overview, Proposed, Standing, TrialView


class Calls(Protocol):
    """Every call may take long and end with a NodeError.

    Reading is refused where `Standing.may_read` is false, and all from `propose` on where nobody logged in.
    """

    def standing(self) -> Standing:
        """Say who stands here."""

    def overview(self) -> Overview:
        """Read how the node is."""

    def settings(self) -> dict[str, Any]:
        """Give the stored sections with stars for every secret; NodeError where nothing is stored."""

    def log(self, lines: int) -> tuple[str, ...]:
        """Give the last lines of this start's journal."""

    def lost(self) -> tuple[str, ...]:
        """Say what a restart would lose, a line each."""

    def login(self, user: str, password: str) -> Standing:
        """Let an admin in; InputError where it is none or the password is wrong, after a while."""

    def logout(self) -> Standing:
        """Forget who logged in."""

    def stay(self) -> Standing:
        """Say that whoever logged in is still there."""

    def propose(self, changes: Sequence[Change]) -> Proposed:
        """Say what changes would do; InputError with every problem. Nothing is written."""

    def carry_out(self, number: int) -> TrialView | None:
        """Do what was last proposed; the trial where it waits to be confirmed."""

    def confirm(self) -> str:
        """Keep the change that is on trial; its reason."""

    def take_back(self) -> None:
        """Take the change on trial back."""

    def leave(self, how: str) -> None:
        """Restart the node (`reboot`) or switch it off (`poweroff`)."""
