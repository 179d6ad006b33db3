"""Before a node has a certificate: the CA, health, enrolment."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import JSONResponse
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from sqlalchemy.orm import Session

from server import clock
from server.api.bodies import EnrolBody, EnrolledAnswer, Health, PendingAnswer
from server.api.peer import peer_of
from server.api.problem import documented
from server.api.refused import count_refusal
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
    try:
        asked = _read(body, token.credentials if token else None, address)
        answer = site.database.change(lambda session: _answer(session, asked, site))
    except MachineKnownError as error:
        # Not counted: it came with a good token, and its key must be known to whoever decides.
        node_id = error.machine_of
        tell = site.told.is_time(f"{error.code} {node_id} {asked.fingerprint}")
        site.database.change(lambda session: note_refused_key(session, node_id, asked, tell=tell))
        raise
    except RefusalError as error:
        count_refusal(site, error, address)
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
