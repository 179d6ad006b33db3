"""One visit to the server, from whom to believe to what it wants of the node."""

from __future__ import annotations

import hashlib
import ssl
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from node.errors import NodeError, TryAgainError
from node.model.fingerprint import shown
from node.model.registration import Around, Desired, Report, Result, Standing
from node.plugins.registration import session
from node.plugins.registration.certificate import keep_certificate, now, read_certificate
from node.plugins.registration.desired import checked
from node.plugins.registration.facts import cards_sha256, identity_of
from node.plugins.registration.key_store import FileKeyStore, KeyStore
from node.plugins.registration.memory import CERTIFICATE_FILE, Memory, read_memory, write_memory
from node.plugins.registration.refusals import report_of
from node.plugins.registration.trust import trusted_ca, trusting
from node.plugins.registration.wire import Connection, OwnCertificateError, ProblemError

if TYPE_CHECKING:
    from node.plugins.registration.backend import ServerBackend

# The server says when it wants to hear of us; these are bounds against nonsense.
_LEAST_S, _MOST_S = 2.0, 3600.0
TOKEN_KEY = "registration.token"  # noqa: S105 - its name
# 401, 403 and 404 of a node with a certificate: the server may know the key still, or again.
_ASK_AGAIN = (401, 403, 404)
# It says that what was sent is wrong by itself, so that it is the same each time.
_UNREADABLE = (400, 409, 413, 422)


class Visit:
    """What one visit knows. `memory` is written down as soon as something is worth it."""

    def __init__(self, backend: ServerBackend, around: Around) -> None:
        self._backend = backend
        self._around = around
        self._objections: list[str] = []
        self._keys: KeyStore = FileKeyStore(around.folder, around.files)
        if around.new_key:
            self._keys.discard()
        self._memory = read_memory(around.folder, around.files).about(backend.server, backend.ca, base=-1)
        if self._keys.ensure():
            self._memory = replace(self._memory, base=-1, heard=0, node_id="", state="")
            around.files.remove(around.folder / CERTIFICATE_FILE)
        self.ca = trusted_ca(backend.server, backend.ca, around.folder, around.files)

    def run(self) -> Report:
        """Do it; TryAgainError where the server is away, other NodeErrors where it must not be believed."""
        held = read_certificate(self._around.folder, self._around.files)
        if self._memory.node_id and held and not held.is_over(now()):
            with suppress(OwnCertificateError, ssl.SSLError):
                try:
                    return self._report(self._session())
                except ProblemError as problem:
                    if problem.status not in _ASK_AGAIN:
                        return self._report(report_of(problem))
        try:
            pending = self._enrol()
            return self._report(pending or self._session())
        except ProblemError as problem:
            return self._report(report_of(problem))
        except (OwnCertificateError, ssl.SSLError):
            raise TryAgainError(
                "the server refuses the certificate that it gave this node",
                mend="Does a proxy end the TLS connections before the server?",
            ) from None

    def outcome(self, desired: Desired, outcome: tuple[Result, str] | None) -> None:
        """Keep how a desired configuration ended, and tell the server where it can be told now."""
        if outcome is None:
            self._keep(replace(self._memory, trying=0))
            return
        result, words = outcome
        memory = replace(
            self._memory,
            trying=0,
            generation=desired.generation,
            untold=(desired.generation, result.value, words),
        )
        self._keep(memory)
        with self._proven() as connection:
            self._keep(session.told_outcome(connection, self._memory))

    def is_heard(self) -> bool:
        """Whether the server answers this node, certificate and all."""
        with self._proven() as connection:
            try:
                connection.ask("GET", f"/v1/nodes/{self._memory.node_id}/config")
            except ProblemError as problem:
                return problem.status == 404
        return True

    def _enrol(self) -> Report | None:
        """Ask for a certificate; None where there is one now, else where the request stands."""
        backend, around = self._backend, self._around
        body: dict[str, Any] = {
            "protocol": 1,
            "csr": self._keys.csr(),
            "identity": identity_of(around.inventory),
            "name": around.inventory.hostname or None,
        }
        if backend.pool:
            body["pool"] = backend.pool
        proof = {"Authorization": f"Bearer {backend.token}"} if backend.token else {}
        with Connection(backend.server, trusting(self.ca)) as connection:
            answer = connection.ask("POST", "/v1/enroll", body, headers=proof)
        data = answer.data()
        node_id = str(data.get("node_id") or "")
        if not node_id:
            raise TryAgainError("the server's answer names no node", mend="Is it a node-server?")
        used = _digest(backend.token) if backend.token else self._memory.token_used
        state = str(data.get("state") or "")
        if answer.status == 202:
            self._keep(replace(self._memory, node_id=node_id, state=state, token_used=used))
            return Report(
                Standing.PENDING,
                f"waits until somebody agrees to node {node_id}",
                "Compare the key's fingerprint with the server's and agree there: node-server nodes approve "
                f"{node_id}",
                next_s=_bounded(data.get("retry_after_s"), 30.0),
            )
        keep_certificate(data.get("certificate"), around.folder, around.files)
        self._keep(replace(self._memory, node_id=node_id, state=state, token_used=used))
        return None

    def _session(self) -> Report:
        around = self._around
        with self._proven() as connection:
            held = read_certificate(around.folder, around.files)
            if held and held.is_due(now()):
                session.renewed(connection, self._memory, self._keys, around)
        # Anew, so that what was renewed is what the server sees.
        with self._proven() as connection:
            self._tell(lambda: session.told_outcome(connection, self._memory), untold=None)
            told = session.heartbeat(connection, self._memory, around)
            if self._memory.state != "active":
                self._keep(replace(self._memory, state="active"))
            wanted = bool(told.get("facts_wanted"))
            here = {"facts_boot": around.boot_id, "facts_cards": cards_sha256(around.inventory)}
            self._tell(lambda: session.told_facts(connection, self._memory, around, wanted=wanted), **here)
            waiting = session.waiting_events(self._memory, around.happenings)
            last = waiting[-1].number if waiting else self._memory.heard
            self._tell(lambda: session.told_events(connection, self._memory, waiting), heard=last)
            desired, fault = self._desired(connection, told)
        terms = [("clock", words)] if (words := session.clock_words(told.get("time"))) else []
        words = "; ".join((f"active as node {self._memory.node_id}", *self._objections))
        return Report(
            Standing.ACTIVE,
            f"{words}; {fault.brief}" if fault else words,
            fault.mend if fault else "",
            next_s=_bounded(told.get("next_s"), 60.0),
            terms=tuple(terms),
            desired=desired,
        )

    def _tell(self, tell: Callable[[], Memory], **otherwise: Any) -> None:
        """Tell something and keep that it was; what the server can't read holds up nothing else."""
        try:
            self._keep(tell())
        except ProblemError as problem:
            if problem.status not in _UNREADABLE:
                raise
            self._objections.append(report_of(problem).words)
            self._keep(replace(self._memory, **otherwise))

    def _desired(
        self, connection: Connection, told: dict[str, Any]
    ) -> tuple[Desired | None, NodeError | None]:
        """Give the configuration that the server wants and the node hasn't got, or why it is refused."""
        memory = self._memory
        etag = str(told.get("config_etag") or "")
        if not etag or (etag == memory.etag and not memory.trying):
            return None, None
        try:
            answer = connection.ask("GET", f"/v1/nodes/{memory.node_id}/config")
        except ProblemError as problem:
            if problem.status == 404:
                return None, None
            raise
        etag = answer.headers.get("etag", etag)
        data = answer.data()
        try:
            desired = checked(
                data,
                ca=self.ca,
                node_id=memory.node_id,
                newest=max(memory.generation, memory.trying),
                source=self._backend.server,
                now=now(),
            )
        except NodeError as error:
            number = data.get("generation")
            if memory.etag != etag and type(number) is int:
                untold = (number, Result.REFUSED.value, error.brief)
                self._keep(session.told_outcome(connection, replace(memory, etag=etag, untold=untold)))
            return None, error
        if desired.generation == memory.generation:
            self._keep(replace(memory, etag=etag, trying=0))
            return None, None
        resumed = memory.trying == desired.generation
        # Written down before it is tried: a change that cuts the node off is not tried again and again.
        self._keep(replace(memory, trying=desired.generation))
        return replace(desired, resumed=resumed), None

    def _proven(self) -> Connection:
        context = trusting(self.ca)
        self._keys.use_in(context, self._around.folder / CERTIFICATE_FILE)
        return Connection(self._backend.server, context)

    def _keep(self, memory: Memory) -> None:
        if memory != self._memory:
            write_memory(self._around.folder, self._around.files, memory)
            self._memory = memory

    def _report(self, report: Report) -> Report:
        """Add what every report has."""
        token = self._backend.token
        # One that let the node in before may have been given again, for another key: refused, it is not used.
        is_used = bool(token) and _digest(token) == self._memory.token_used
        used = (TOKEN_KEY,) if is_used and report.standing is not Standing.REFUSED else ()
        fingerprints = (
            ("server", self._backend.server),
            ("registration CA", shown(self._backend.ca)),
            ("registration key", shown(self._keys.fingerprint())),
        )
        heard = self._memory.heard if self._memory.base >= 0 else 0
        return replace(report, terms=(*report.terms, *fingerprints), used=used, heard=heard)


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _bounded(seconds: object, default: float) -> float:
    if isinstance(seconds, bool) or not isinstance(seconds, int | float):
        return default
    return min(max(float(seconds), _LEAST_S), _MOST_S)
