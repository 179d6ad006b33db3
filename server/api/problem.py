"""Errors as RFC 9457 problems: a status, a word for programs, a sentence for people; never what was sent."""

from __future__ import annotations

from html import escape
from http import HTTPStatus
from typing import Any

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse, Response
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from server.refusal import RefusalError

MEDIA_TYPE = "application/problem+json"
_CODES = {400: "malformed", 404: "not-found", 405: "method-not-allowed", 408: "too-slow", 413: "too-large"}
_DATABASE_AWAY_S = 10


class Problem(BaseModel):
    """An error. `code` is stable."""

    type: str
    title: str
    status: int
    detail: str
    code: str


def _answer(
    request: Request, status: int, code: str, detail: str, *, headers: dict[str, str] | None = None
) -> Response:
    """Give an error to whom asked: a program, or somebody at the web page."""
    if request.url.path.startswith("/v1/"):
        return problem(status, code, detail, headers=headers)
    text = f"<!doctype html><title>{HTTPStatus(status).phrase}</title><p>{escape(detail)}</p>"
    return HTMLResponse(text + '<p><a href="/">Back to the nodes</a></p>', status, headers)


def problem(status: int, code: str, detail: str, *, headers: dict[str, str] | None = None) -> Response:
    """Give an error as a response."""
    content = Problem(
        type="about:blank", title=HTTPStatus(status).phrase, status=status, detail=detail, code=code
    )
    return JSONResponse(content.model_dump(), status, headers, MEDIA_TYPE)


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Give the problems of an operation, for the OpenAPI document; some can happen to any."""
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {
        status: {"description": HTTPStatus(status).phrase, "content": content}
        for status in sorted({*statuses, 400, 408, 413, 422, 429, 503})
    }


async def on_refusal(request: Request, error: Exception) -> Response:
    """Answer what we refused."""
    assert isinstance(error, RefusalError)
    headers = {"Retry-After": str(error.retry_after_s)} if error.retry_after_s else None
    return _answer(request, error.status, error.code, error.detail, headers=headers)


async def on_malformed(request: Request, error: Exception) -> Response:
    """Answer a body or a path that is not of its form; says where and why, and repeats no value."""
    assert isinstance(error, RequestValidationError)
    places = [f"{'.'.join(map(str, entry['loc']))}: {entry['msg']}" for entry in error.errors()]
    return _answer(
        request, 422, "malformed", "; ".join(places)[:2000].encode("ascii", "backslashreplace").decode()
    )


async def on_http_error(request: Request, error: Exception) -> Response:
    """Answer what the framework refused."""
    assert isinstance(error, HTTPException)
    code = _CODES.get(error.status_code, "refused")
    return _answer(request, error.status_code, code, str(error.detail), headers=dict(error.headers or {}))


async def on_database_error(request: Request, error: Exception) -> Response:
    """Answer while the database is away."""
    del error
    headers = {"Retry-After": str(_DATABASE_AWAY_S)}
    return _answer(request, 503, "try-later", "the database can't be reached", headers=headers)


async def on_bug(request: Request, error: Exception) -> Response:
    """Answer a bug of ours; the traceback is in the log."""
    del error
    return _answer(request, 500, "bug", "a bug of the server; its log tells more")
