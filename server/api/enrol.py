"""Before a node has a certificate: the CA, health, enrolment."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import JSONResponse
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from sqlalchemy.orm import Session

from server import clock, events
from server.api.bodies import EnrolBody, EnrolledAnswer, Health, PendingAnswer
from server.api.peer import peer_of
from server.api.problem import documented
from server.certificates import key_fingerprint
from server.csr import read_csr
from server.enrolment import Asked, MachineKnownError, certificate_for, enrol, note_refused_key
from server.heartbeat import jittered
from server.identity import read_identity
from server.models import Node
from server.refusal import RefusalError
from server.site import Site
from server.states import State

router = APIRouter()
_token = HTTPBearer(auto_error=False, scheme_name="token", description="An enrolment token.")
_PEM = "application/x-pem-file"
_WRONG_SECRET = ("token-unknown",)


@router.get(
    "/v1/ca",
    summary="The CA's certificate",
    response_class=Response,
    responses={200: {"content": {_PEM: {"schema": {"type": "string"}}}}},
)
def read_ca(request: Request) -> Response:
    """Give the CA's certificate, to be compared with its fingerprint before it is believed."""
    site: Site = request.app.state.site
    return Response(site.authority.pem, media_type=_PEM)


@router.get("/v1/health", summary="That the server is here")
def read_health() -> Health:
    """Give the time; no secret and no database is needed for it."""
    return Health(time=clock.to_text(clock.now()))


@router.post(
    "/v1/enroll",
    summary="Become a node",
    response_model=EnrolledAnswer,
    responses={
        202: {"model": PendingAnswer, "description": "An operator has to approve"},
        **documented(401, 403, 409),
    },
)
def enrol_node(
    body: EnrolBody,
    request: Request,
    token: Annotated[HTTPAuthorizationCredentials | None, Depends(_token)],
) -> Response:
    """Make a key and a machine a node; the same key again gets the same answer."""
    site: Site = request.app.state.site
    address = peer_of(request).address
    asked = _read(body, token.credentials if token else None, address)
    try:
        answer = site.database.change(lambda session: _answer(session, asked, site))
    except MachineKnownError as error:
        node_id = error.node_id
        site.database.change(lambda session: note_refused_key(session, node_id, asked))
        raise
    except RefusalError as error:
        if error.code in _WRONG_SECRET:
            _slow_down(site, address, error)
        elif error.status in (401, 403):
            _note(site, error, address)
        raise
    pending = isinstance(answer, PendingAnswer)
    headers = {"Retry-After": str(answer.retry_after_s)} if isinstance(answer, PendingAnswer) else None
    return JSONResponse(answer.model_dump(), 202 if pending else 200, headers)


def _read(body: EnrolBody, token: str | None, address: str) -> Asked:
    said = body.identity
    try:
        identity = read_identity(said.product_uuid, said.vendor, said.serial, said.macs)
    except ValueError as error:
        raise RefusalError(400, "bad-identity", str(error)) from error
    return Asked(read_csr(body.csr), identity, body.name, token, address, body.pool)


def _answer(session: Session, asked: Asked, site: Site) -> PendingAnswer | EnrolledAnswer:
    node: Node = enrol(session, asked)
    if node.state == State.PENDING:
        return PendingAnswer(
            node_id=node.id,
            retry_after_s=jittered(site.settings.pending_retry_s),
            key_fingerprint=asked.fingerprint,
        )
    certificate = certificate_for(session, node, asked.key, site.authority, site.settings.certificate_life)
    assert node.certificate_until is not None
    return EnrolledAnswer(
        node_id=node.id,
        state="active" if node.state == State.ACTIVE else "approved",
        certificate=certificate,
        not_after=clock.to_text(node.certificate_until),
        key_fingerprint=key_fingerprint(asked.key),
    )


def _slow_down(site: Site, address: str, error: RefusalError) -> None:
    """Count a wrong token, write down the first few, and tell whoever sends many to wait."""
    wait_s = site.wrong_secrets.count(address)
    if not wait_s:
        _note(site, error, address)
        return
    slow = RefusalError(429, "slow-down", "too many wrong tokens from this address", retry_after_s=wait_s)
    if site.wrong_secrets.is_first_too_many(address):
        _note(site, slow, address)
    raise slow from error


def _note(site: Site, error: RefusalError, address: str) -> None:
    def note(session: Session) -> None:
        events.record(session, error.code, error.detail, who=f"address:{address}")

    site.database.change(note)
