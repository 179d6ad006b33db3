"""What somebody at the web page sees when it doesn't go."""

from __future__ import annotations

from fastapi import Request
from fastapi.responses import RedirectResponse, Response

from node.errors import InputError
from server.web.templates import render


async def on_login_needed(request: Request, error: Exception) -> Response:
    """Lead to the login."""
    del request, error
    return RedirectResponse("/login", 303)


async def on_input_error(request: Request, error: Exception) -> Response:
    """Say what can't be done, and how to mend it."""
    assert isinstance(error, InputError)
    return render(request, "error.html", status=409, login=None, brief=error.brief, mend=error.mend)
