"""Who is logged in at the web page: a cookie, known by its hash, and a second secret in each form."""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass

from fastapi import Request
from sqlalchemy import delete
from sqlalchemy.orm import Session

from server import clock, events
from server.admin import is_admin
from server.models import WebSession
from server.refusal import RefusalError
from server.site import Site
from server.tokens import secret_hash

# The prefix makes browsers refuse it without TLS, from a subdomain or for a part of the site.
COOKIE = "__Host-session"
WHO = "web:admin"


class LoginNeededError(Exception):
    """Nobody is logged in, or not any more."""


@dataclass(frozen=True)
class Login:
    """Somebody who may look and decide. `csrf` stands in every form that they get."""

    csrf: str

    def require_form(self, csrf: str) -> None:
        """Raise RefusalError where a form isn't one that we made for this login."""
        if not hmac.compare_digest(csrf.encode("utf-8", "replace"), self.csrf.encode("utf-8", "replace")):
            raise RefusalError(403, "wrong-form", "this form is not of this login; open the page anew")


def current_login(request: Request) -> Login:
    """Give who is logged in; LoginNeededError without."""
    site: Site = request.app.state.site
    cookie = request.cookies.get(COOKIE)
    if cookie is None:
        raise LoginNeededError
    with site.database.read() as session:
        found = session.get(WebSession, secret_hash(cookie))
    if found is None or found.expires_at <= clock.now():
        raise LoginNeededError
    return Login(found.csrf)


def require_own_origin(request: Request) -> None:
    """Raise RefusalError for a form that another site sent; browsers tell."""
    origin = request.headers.get("origin")
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        raise RefusalError(403, "wrong-form", "this form came from another site")
    if origin is not None and origin != f"https://{request.headers.get('host', '')}":
        raise RefusalError(403, "wrong-form", "this form came from another site")


def log_in(session: Session, token: str, site: Site, address: str) -> str | None:
    """Give the cookie of a new login, None where the token is not the admin's."""
    if not is_admin(session, token):
        return None
    now = clock.now()
    session.execute(delete(WebSession).where(WebSession.expires_at <= now))
    cookie = secrets.token_urlsafe(32)
    session.add(
        WebSession(
            sha256=secret_hash(cookie),
            csrf=secrets.token_urlsafe(32),
            admin=WHO,
            expires_at=now + site.settings.session_life,
        )
    )
    events.record(session, "login", f"from {address}", who=WHO)
    return cookie


def log_out(session: Session, cookie: str) -> None:
    """End a login."""
    session.execute(delete(WebSession).where(WebSession.sha256 == secret_hash(cookie)))
