"""What a node does with its certificate: renewal, facts, heartbeat, configuration, events."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Annotated, Any, TypeVar
from uuid import UUID

from fastapi import APIRouter, Header, Request, Response
from sqlalchemy.orm import Session

from server import clock, desired, events
from server.api.bodies import (
    ConfigAnswer,
    ConfigReportBody,
    EventsAnswer,
    EventsBody,
    FactsBody,
    HeartbeatAnswer,
    HeartbeatBody,
    Hex,
    RenewAnswer,
    RenewBody,
)
from server.api.peer import require_node
from server.api.problem import documented
from server.api.refused import note_refusal
from server.certificates import key_fingerprint
from server.csr import read_csr
from server.enrolment import certificate_for, take_key
from server.facts import canonical, digest, replace_facts, require_sound, take_name
from server.heartbeat import Sign, hear
from server.models import Node
from server.refusal import RefusalError
from server.reported import Told, take_over
from server.site import Site

T = TypeVar("T")
_SECURITY: dict[str, Any] = {"security": [{"certificate": []}]}
_LARGEST_STATE = 8192

router = APIRouter(prefix="/v1/nodes/{node_id}", responses=documented(401, 403))


def _as_node(request: Request, node_id: UUID, work: Callable[[Session, Node], T]) -> T:
    """Do `work` in one transaction with the node that the certificate proves."""
    site: Site = request.app.state.site
    try:
        return site.database.change(
            lambda session: work(session, require_node(session, request, str(node_id)))
        )
    except RefusalError as error:
        if error.node_id is not None:
            note_refusal(site, error, who=f"node:{error.node_id}", of=error.node_id)
        raise


@router.post(
    "/renew", summary="A new certificate", openapi_extra=_SECURITY, responses=documented(401, 403, 409)
)
def renew(node_id: UUID, body: RenewBody, request: Request) -> RenewAnswer:
    """Give a certificate for the same key or a new one; the one in use proves who asks."""
    site: Site = request.app.state.site
    key = read_csr(body.csr)

    def work(session: Session, node: Node) -> RenewAnswer:
        if key_fingerprint(key) != node.key_fingerprint:
            words = f"from key {node.key_fingerprint} to key {key_fingerprint(key)}"
            take_key(session, node, key_fingerprint(key), keep_old=True)
            events.record(session, "key-changed", words, who=f"node:{node.id}", node_id=node.id)
        # Asked for before its time, a renewal is a new one all the same.
        node.certificate = None
        pem = certificate_for(session, node, key, site.authority, site.settings.certificate_life)
        assert node.certificate_until is not None
        return RenewAnswer(certificate=pem, not_after=clock.to_text(node.certificate_until))

    return _as_node(request, node_id, work)


@router.put(
    "/facts",
    summary="Replace the facts",
    openapi_extra=_SECURITY,
    status_code=200,
    response_class=Response,
    responses={200: {"description": "Replaced"}, 204: {"description": "Unchanged"}},
)
def put_facts(
    node_id: UUID, body: FactsBody, request: Request, nodecrust_facts_sha256: Annotated[Hex, Header()]
) -> Response:
    """Take all facts in place of those from before, if they are what the hash says."""
    site: Site = request.app.state.site
    require_sound(body.facts)
    document = canonical(body.facts)
    sha256 = digest(document)

    def work(session: Session, node: Node) -> bool:
        if sha256 != nodecrust_facts_sha256:
            raise RefusalError(400, "hash-mismatch", "the facts are not those of Nodecrust-Facts-SHA256")
        take_name(node, body.facts)
        return replace_facts(session, node, document, sha256, site.settings.facts_kept)

    return Response(status_code=200 if _as_node(request, node_id, work) else 204)


@router.post("/heartbeat", summary="A sign of life", openapi_extra=_SECURITY)
def heartbeat(node_id: UUID, body: HeartbeatBody, request: Request) -> HeartbeatAnswer:
    """Take a sign of life; the first makes the node active."""
    site: Site = request.app.state.site
    require_sound(body.state)
    if len(json.dumps(body.state)) > _LARGEST_STATE:
        raise RefusalError(413, "too-large", f"a heartbeat's state has {_LARGEST_STATE} bytes at most")
    sign = Sign(**dict(body))
    answer = _as_node(request, node_id, lambda session, node: hear(session, node, sign, site.settings))
    return HeartbeatAnswer(**vars(answer))


@router.get(
    "/config",
    summary="The configuration that is wanted",
    openapi_extra=_SECURITY,
    response_model=ConfigAnswer,
    responses={304: {"description": "Unchanged"}, **documented(401, 403, 404)},
)
def read_config(
    node_id: UUID,
    request: Request,
    response: Response,
    if_none_match: Annotated[str | None, Header(max_length=200)] = None,
) -> Response | ConfigAnswer:
    """Give the document and generation that are wanted of this node, signed for it alone."""
    site: Site = request.app.state.site
    wanted = _as_node(request, node_id, desired.desired_of)
    if wanted is None:
        raise RefusalError(404, "no-config", "nothing is wanted of this node")
    headers = {"ETag": wanted.etag}
    if if_none_match is not None and wanted.etag in {tag.strip() for tag in if_none_match.split(",")}:
        return Response(status_code=304, headers=headers)
    response.headers.update(headers)
    signature, signer = site.authority.sign_configuration(str(node_id), wanted.generation, wanted.document)
    return ConfigAnswer(
        generation=wanted.generation, document=wanted.document, signature=signature, signer=signer
    )


@router.post("/config/report", summary="What became of it", status_code=204, openapi_extra=_SECURITY)
def report_config(node_id: UUID, body: ConfigReportBody, request: Request) -> None:
    """Take what a node made of a generation."""

    def work(session: Session, node: Node) -> None:
        desired.report(session, node, body.generation, body.result, body.words)

    _as_node(request, node_id, work)


@router.post("/events", summary="What happened on the node", openapi_extra=_SECURITY)
def post_events(node_id: UUID, body: EventsBody, request: Request) -> EventsAnswer:
    """Take events over, each number once."""
    told = [Told(**dict(event)) for event in body.events]
    return EventsAnswer(
        accepted=_as_node(
            request, node_id, lambda session, node: take_over(session, node, node.key_fingerprint, told)
        )
    )
