"""Rendering: everything is escaped, nothing may be undefined, no page loads anything from elsewhere."""

from __future__ import annotations

from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined

from server.certificates import grouped

_ENVIRONMENT = Environment(
    loader=PackageLoader("server.web"), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
    lstrip_blocks=True,
)  # fmt: skip
_ENVIRONMENT.filters["grouped"] = grouped
_POLICY = "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"


def render(request: Request, template: str, *, status: int = 200, **values: Any) -> HTMLResponse:
    """Give a page."""
    text = _ENVIRONMENT.get_template(template).render(path=request.url.path, **values)
    # Facts may hold halves of characters, which no UTF-8 has.
    content = text.encode("utf-8", "replace").decode()
    return HTMLResponse(content, status, {"Content-Security-Policy": _POLICY})
