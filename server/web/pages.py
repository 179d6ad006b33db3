"""The pages: nodes, one node, tokens, events, login."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from importlib.resources import files
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Form, Path, Query, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy import select
from sqlalchemy.orm import Session

from server import admin, nodes
from server.api.peer import peer_of
from server.api.refused import count_refusal
from server.models import Node, Token
from server.pools import pools_to_data
from server.refusal import RefusalError
from server.shown import events_to_data, facts_history, node_to_data, node_with_all
from server.site import Site
from server.states import State
from server.tokens import TokenTerms, create_token, revoke_token, token_state
from server.web.session import COOKIE, WHO, Login, current_login, log_in, log_out, require_own_origin
from server.web.templates import render

router = APIRouter(include_in_schema=False)
LoggedIn = Annotated[Login, Depends(current_login)]
OwnForm = Depends(require_own_origin)
Csrf = Annotated[str, Form(max_length=64)]
TokenId = Annotated[str, Path(pattern=r"^t-[0-9a-f]{8}$")]
Field = Annotated[str, Form(max_length=64)]
_PAGE = 200
_EVENTS = 500
_TTLS = {"1 hour": 3600, "1 day": 86400, "7 days": 7 * 86400, "30 days": 30 * 86400}


@router.get("/")
def start() -> Response:
    """Lead to the nodes."""
    return RedirectResponse("/nodes", 303)


@router.get("/style.css")
def style() -> Response:
    """Give the one style sheet."""
    return Response((files("server.web") / "style.css").read_text(), media_type="text/css")


@router.get("/login")
def login_page(request: Request) -> Response:
    """Ask for the admin token."""
    return render(request, "login.html", login=None, wrong=False)


@router.post("/login", dependencies=[OwnForm])
def login(request: Request, token: Annotated[str, Form(max_length=200)]) -> Response:
    """Log in with the admin token."""
    site = _site(request)
    address = peer_of(request).address
    cookie = site.database.change(lambda session: log_in(session, token.strip(), site, address))
    if cookie is None:
        count_refusal(site, RefusalError(401, "login-refused", "a wrong admin token"), address)
        return render(request, "login.html", status=401, login=None, wrong=True)
    admin.forget_file(site.data)
    answer = RedirectResponse("/nodes", 303)
    life = int(site.settings.session_life.total_seconds())
    answer.set_cookie(COOKIE, cookie, max_age=life, secure=True, httponly=True, samesite="strict")
    return answer


@router.post("/logout", dependencies=[OwnForm])
def logout(request: Request, login: LoggedIn, csrf: Csrf) -> Response:
    """Log out."""
    login.require_form(csrf)
    cookie = request.cookies[COOKIE]
    _site(request).database.change(lambda session: log_out(session, cookie))
    answer = RedirectResponse("/login", 303)
    answer.delete_cookie(COOKIE, secure=True, httponly=True, samesite="strict")
    return answer


@router.get("/nodes")
def nodes_page(
    request: Request,
    login: LoggedIn,
    pool: Annotated[str, Query(max_length=64)] = "",
    state: Annotated[str, Query(max_length=16)] = "",
    page: Annotated[int, Query(ge=0, le=100_000)] = 0,
) -> Response:
    """Show nodes by pool and state."""
    query = select(Node).order_by(Node.pool, Node.state, Node.created_at, Node.id)
    if pool:
        query = query.where(Node.pool == pool.replace("\0", ""))
    if state in [*State]:
        query = query.where(Node.state == state)
    with _site(request).database.read() as session:
        found = session.scalars(query.offset(page * _PAGE).limit(_PAGE + 1)).all()
        pools = pools_to_data(session)
    return render(
        request,
        "nodes.html",
        login=login,
        nodes=[node_to_data(node) for node in found[:_PAGE]],
        more=len(found) > _PAGE,
        page=page,
        pools=pools,
        states=[*State],
        pool=pool,
        state=state,
    )


@router.get("/nodes/{node_id}")
def node_page(request: Request, login: LoggedIn, node_id: UUID) -> Response:
    """Show one node: its facts, its history, its events."""
    with _site(request).database.read() as session:
        node = session.get(Node, str(node_id))
        if node is None:
            raise RefusalError(404, "not-found", "there is no such node")
        data = node_with_all(session, node)
        history = facts_history(session, node)
    return render(request, "node.html", login=login, node=data, history=history)


@router.post("/nodes/{node_id}/{what}", dependencies=[OwnForm])
def decide(
    *, request: Request, login: LoggedIn, node_id: UUID, what: str, csrf: Csrf, key: Field = ""
) -> Response:
    """Approve, reject, retire or rebind a node."""
    login.require_form(csrf)

    def rebind(session: Session, node: Node) -> object:
        # The key that was shown when it was decided, whoever asked since.
        return nodes.rebind(session, node, key, who=WHO)

    decisions: dict[str, Callable[[Session, Node], object]] = {
        "approve": lambda session, node: nodes.approve(session, node, who=WHO),
        "reject": lambda session, node: nodes.reject(session, node, who=WHO),
        "retire": lambda session, node: nodes.retire(session, node, who=WHO),
        "rebind": rebind,
    }
    if what not in decisions:
        raise RefusalError(404, "not-found", "there is no such page")

    def work(session: Session) -> None:
        decisions[what](session, nodes.find_node(session, str(node_id), lock=True))

    _site(request).database.change(work)
    return RedirectResponse(f"/nodes/{node_id}", 303)


@router.get("/tokens")
def tokens_page(request: Request, login: LoggedIn) -> Response:
    """Show tokens, and the form for a new one."""
    return _tokens(request, login, secret=None)


@router.post("/tokens", dependencies=[OwnForm])
def make_token(
    *,
    request: Request,
    login: LoggedIn,
    csrf: Csrf,
    pool: Field,
    ttl: Field,
    uses: Annotated[int, Form(ge=1, le=1_000_000)],
    auto_approve: Annotated[bool, Form()] = False,
    bound_uuid: Field = "",
    bound_mac: Field = "",
) -> Response:
    """Make a token and show it, this once."""
    login.require_form(csrf)
    life = timedelta(seconds=_TTLS.get(ttl, 3600))
    terms = TokenTerms(pool, life, uses, auto_approve, bound_uuid.strip() or None, bound_mac.strip() or None)
    _, secret = _site(request).database.change(lambda session: create_token(session, terms, who=WHO))
    return _tokens(request, login, secret=secret)


@router.post("/tokens/{token_id}/revoke", dependencies=[OwnForm])
def end_token(request: Request, login: LoggedIn, token_id: TokenId, csrf: Csrf) -> Response:
    """End a token now."""
    login.require_form(csrf)
    _site(request).database.change(lambda session: revoke_token(session, token_id, who=WHO))
    return RedirectResponse("/tokens", 303)


@router.get("/events")
def events_page(request: Request, login: LoggedIn) -> Response:
    """Show what happened last."""
    with _site(request).database.read() as session:
        found = events_to_data(session, None, _EVENTS)
    return render(request, "events.html", login=login, events=found[::-1])


def _tokens(request: Request, login: Login, *, secret: str | None) -> Response:
    with _site(request).database.read() as session:
        found = session.scalars(select(Token).order_by(Token.created_at.desc()).limit(_EVENTS)).all()
    tokens = [(token, token_state(token)) for token in found]
    return render(request, "tokens.html", login=login, tokens=tokens, secret=secret, ttls=list(_TTLS))


def _site(request: Request) -> Site:
    site: Site = request.app.state.site
    return site
