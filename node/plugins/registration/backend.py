"""The backend of our own server, `node-server`: protocol version 1."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from node.errors import NodeError, TryAgainError
from node.model.fingerprint import shown
from node.model.registration import Around, Desired, Outcome, Report, Standing

if TYPE_CHECKING:
    from node.plugins.registration.visit import Visit

NAME = "server"
_KEEP = "Install it, or lay out CONFIG alone: see nodectl install"


@dataclass(frozen=True)
class ServerBackend:
    """Registers with one server; `ca` is the SHA-256 of its CA."""

    server: str
    ca: str
    token: str = ""
    pool: str = ""

    @property
    def name(self) -> str:
        """Its name."""
        return NAME

    def visit(self, around: Around) -> Report:
        """Enrol, wait, or say that the node lives, whatever comes next."""
        # Cryptography and urllib3 take their time to load, and most commands only ask for the hooks.
        from node.plugins.registration.clock import mend_clock  # noqa: PLC0415
        from node.plugins.registration.trust import trusted_ca  # noqa: PLC0415
        from node.plugins.registration.wire import CertificateError  # noqa: PLC0415

        if not self.ca:
            return Report(
                Standing.REFUSED,
                "no fingerprint tells the server from another",
                "Give it: nodectl config set registration.fingerprint=HEX",
            )
        if not around.files.exists(around.folder.parent.parent):
            return Report(Standing.REFUSED, "this node keeps nothing, so it can't keep a key", _KEEP)
        try:
            try:
                return self._visit(around).run()
            except CertificateError as error:
                if not error.clock:
                    raise
                ca = trusted_ca(self.server, self.ca, around.folder, around.files)
                words = mend_clock(self.server, ca, around.commands, error)
            report = self._visit(around).run()
            return replace(report, words=f"{report.words}; {words}")
        except NodeError as error:
            return self._failed(error, around)

    def reaches(self, around: Around) -> bool:
        """Tell whether the server answers this node."""
        import ssl  # noqa: PLC0415 - as above

        try:
            return self._visit(around).is_heard()
        except (NodeError, ssl.SSLError, OSError):
            return False

    def settle(self, around: Around, desired: Desired, outcome: Outcome | None) -> None:
        """Keep and tell how a configuration ended; what can't be told now is told at the next visit."""
        from node.plugins.registration.wire import ProblemError  # noqa: PLC0415 - as above

        try:
            self._visit(around).outcome(desired, (outcome.result, outcome.words) if outcome else None)
        except ProblemError as problem:
            raise NodeError(f"the server takes no word of the configuration ({problem})") from None

    def _failed(self, error: NodeError, around: Around) -> Report:
        """Give an error as a report: an operator compares fingerprints just then."""
        from node.plugins.registration.key_store import FileKeyStore  # noqa: PLC0415 - as above

        standing = Standing.WAITING if isinstance(error, TryAgainError) else Standing.REFUSED
        terms = [("server", self.server), ("registration CA", shown(self.ca))]
        with suppress(NodeError):
            terms.append(("registration key", shown(FileKeyStore(around.folder, around.files).fingerprint())))
        words = "; ".join([error.brief, *error.details.splitlines()])
        return Report(standing, words, error.mend, terms=tuple(terms))

    def _visit(self, around: Around) -> Visit:
        from node.plugins.registration.visit import Visit  # noqa: PLC0415 - as above

        return Visit(self, around)
