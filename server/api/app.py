"""The application: the protocol, its errors, its OpenAPI document, the web page."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.openapi.utils import get_openapi
from starlette.exceptions import HTTPException

from node.errors import InputError
from server.api import enrol, node
from server.api.limits import Limits
from server.api.problem import (
    Problem,
    on_bug,
    on_database_error,
    on_http_error,
    on_malformed,
    on_refusal,
)
from server.database import AWAY
from server.refusal import RefusalError
from server.site import Site
from server.web import pages
from server.web.errors import on_input_error, on_login_needed
from server.web.session import LoginNeededError


def application(site: Site) -> FastAPI:
    """Make the application of a site."""
    app = FastAPI(
        title="Nodecrust registration",
        version="1",
        # Its pages would fetch scripts from elsewhere.
        docs_url=None,
        redoc_url=None,
        openapi_url="/v1/openapi.json",
    )
    app.state.site = site
    app.include_router(enrol.router)
    app.include_router(node.router)
    app.include_router(pages.router)
    app.add_exception_handler(LoginNeededError, on_login_needed)
    app.add_exception_handler(InputError, on_input_error)
    app.add_exception_handler(RefusalError, on_refusal)
    app.add_exception_handler(RequestValidationError, on_malformed)
    app.add_exception_handler(HTTPException, on_http_error)
    for kind in AWAY:
        app.add_exception_handler(kind, on_database_error)
    app.add_exception_handler(Exception, on_bug)
    app.add_middleware(Limits)
    app.openapi = lambda: _openapi(app)  # type: ignore[method-assign] # FastAPI's own way of replacing it
    return app


def _openapi(app: FastAPI) -> dict[str, Any]:
    """Give the OpenAPI document, with what FastAPI can't know: problems, and certificates as a right."""
    if app.openapi_schema is None:
        document = get_openapi(title=app.title, version=app.version, routes=app.routes)
        components = document.setdefault("components", {})
        components.setdefault("schemas", {})["Problem"] = Problem.model_json_schema()
        components.setdefault("securitySchemes", {})["certificate"] = {
            "type": "mutualTLS",
            "description": "The certificate that enrolling gave.",
        }
        app.openapi_schema = document
    return app.openapi_schema
