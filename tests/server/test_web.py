"""The web page without a browser: who gets in, what a form needs, what nodes may write there."""

from __future__ import annotations

import hashlib
import json
import re
import ssl
from collections.abc import Iterator
from html.parser import HTMLParser

import httpx
import pytest

from tests.server.running import Server


class _Tags(HTMLParser):
    """Collects every element, to see what a browser would."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def _tags(page: str) -> list[tuple[str, dict[str, str | None]]]:
    parser = _Tags()
    parser.feed(page)
    return parser.found


def _client(server: Server) -> httpx.Client:
    context = ssl.create_default_context(cafile=str(server.ca))
    return httpx.Client(base_url=server.url, verify=context, trust_env=False, timeout=30)


@pytest.fixture
def web(server: Server) -> Iterator[httpx.Client]:
    """Somebody who is logged in."""
    with _client(server) as client:
        answer = client.post("/login", data={"token": server.admin_token})
        assert (answer.status_code, answer.headers["location"]) == (303, "/nodes")
        yield client


def _csrf(client: httpx.Client) -> str:
    found = re.search(r'name="csrf" value="([^"]+)"', client.get("/tokens").text)
    assert found
    return found[1]


def test_nobody_sees_anything_without_a_login(server: Server) -> None:
    node = server.node()
    node.enroll(server.token())
    with _client(server) as client:
        for path in ("/nodes", f"/nodes/{node.node_id}", "/tokens", "/events"):
            answer = client.get(path)
            assert (answer.status_code, answer.headers["location"]) == (303, "/login"), path
        for path in (f"/nodes/{node.node_id}/approve", "/tokens", "/logout"):
            answer = client.post(path, data={"csrf": "x", "pool": "p", "ttl": "1 day", "uses": "1"})
            assert (answer.status_code, answer.headers["location"]) == (303, "/login"), path
        client.cookies.set("__Host-session", "x" * 43)
        assert client.get("/nodes").status_code == 303
    assert server.json("nodes", "show", node.node_id)["state"] == "pending"


def test_the_cookie_and_the_headers(server: Server) -> None:
    with _client(server) as client:
        answer = client.post("/login", data={"token": server.admin_token})
        cookie = answer.headers["set-cookie"]
        for word in ("__Host-session=", "HttpOnly", "Secure", "SameSite=strict", "Path=/", "Max-Age=28800"):
            assert word in cookie
        page = client.get("/nodes")
        assert "default-src 'none'" in page.headers["content-security-policy"]
        assert page.headers["cache-control"] == "no-store"
        assert page.headers["x-frame-options"] == "DENY"
        assert not [tag for tag, _ in _tags(page.text) if tag == "script"]


def test_a_wrong_admin_token_and_an_enrolment_token(server: Server) -> None:
    with _client(server) as client:
        for token in ("nca_" + "x" * 43, server.token(), "' OR 1=1 --"):
            answer = client.post("/login", data={"token": token})
            assert answer.status_code == 401
            assert "not the admin token" in answer.text
            assert "set-cookie" not in answer.headers


def test_the_first_tokens_file_is_gone_after_the_login(server: Server, web: httpx.Client) -> None:
    assert web.get("/nodes").status_code == 200
    assert not (server.data / "admin-token").exists()


def test_approve_reject_retire_by_forms(server: Server, web: httpx.Client) -> None:
    csrf = _csrf(web)
    first, second = server.node(), server.node()
    for node in (first, second):
        node.enroll(server.token())
    assert first.node_id in web.get("/nodes?state=pending&pool=default").text
    assert first.fingerprint[-2:] in web.get(f"/nodes/{first.node_id}").text
    answer = web.post(f"/nodes/{first.node_id}/approve", data={"csrf": csrf})
    assert answer.status_code == 303
    assert first.enroll().status_code == 200
    web.post(f"/nodes/{second.node_id}/reject", data={"csrf": csrf})
    assert second.enroll().json()["code"] == "retired"
    assert web.get(f"/nodes/{second.node_id}").status_code == 200
    web.post(f"/nodes/{first.node_id}/retire", data={"csrf": csrf})
    assert first.heartbeat().json()["code"] == "retired"
    approved = [event for event in server.events(first) if event["kind"] == "approved"]
    assert [event["who"] for event in approved] == ["web:admin"]

    impossible = web.post(f"/nodes/{first.node_id}/approve", data={"csrf": csrf})
    assert (impossible.status_code, "is retired" in impossible.text) == (409, True)
    assert web.post(f"/nodes/{first.node_id}/explode", data={"csrf": csrf}).status_code == 404
    assert web.get("/nodes/00000000-0000-4000-8000-000000000000").status_code == 404


def test_rebind_takes_the_key_that_was_shown(server: Server, web: httpx.Client) -> None:
    old = server.active_node()
    new, thief = (server.node(product_uuid=old.identity["product_uuid"]) for _ in range(2))
    new.enroll(server.token())
    page = web.get(f"/nodes/{old.node_id}").text
    shown = re.search(r'name="key" value="([0-9a-f]{64})"', page)
    assert shown
    assert shown[1] == new.fingerprint
    # Somebody asks between the look and the decision.
    thief.enroll(server.token())
    web.post(f"/nodes/{old.node_id}/rebind", data={"csrf": _csrf(web), "key": shown[1]})
    assert new.enroll().status_code == 200
    assert thief.enroll().status_code == 401


def test_tokens_by_forms(server: Server, web: httpx.Client) -> None:
    form = {"csrf": _csrf(web), "pool": "webpool", "ttl": "1 hour", "uses": "1", "auto_approve": "true"}
    page = web.post("/tokens", data=form)
    secret = re.search(r'id="secret">(nct_[^<]+)<', page.text)
    assert secret
    assert "nct_" not in web.get("/tokens").text
    node = server.node()
    assert node.enroll(secret[1]).status_code == 200
    assert server.json("nodes", "show", node.node_id)["pool"] == "webpool"

    web.post("/tokens", data=form)
    made = next(entry for entry in server.json("token", "list")
                if entry["pool"] == "webpool" and entry["state"] == "good")  # fmt: skip
    assert web.post(f"/tokens/{made['id']}/revoke", data={"csrf": form["csrf"]}).status_code == 303
    assert next(e["state"] for e in server.json("token", "list") if e["id"] == made["id"]) == "revoked"
    assert web.post("/tokens/t-%00/revoke", data={"csrf": form["csrf"]}).status_code == 422
    bad = web.post("/tokens", data=form | {"pool": "../etc"})
    assert (bad.status_code, "no name of a pool" in bad.text) == (409, True)
    assert web.post("/tokens", data=form | {"uses": "0"}).status_code == 422


@pytest.mark.parametrize("path", ["approve", "retire"])
def test_forms_of_others_do_nothing(server: Server, web: httpx.Client, path: str) -> None:
    node = server.node()
    node.enroll(server.token())
    url = f"/nodes/{node.node_id}/{path}"
    csrf = _csrf(web)
    assert web.post(url, data={"csrf": "x" * 43}).status_code == 403
    assert web.post(url).status_code == 422
    for headers in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}, {"Origin": "null"}):
        assert web.post(url, data={"csrf": csrf}, headers=headers).status_code == 403
    assert web.get(url).status_code == 405
    assert server.json("nodes", "show", node.node_id)["state"] == "pending"


def test_what_nodes_send_is_text(server: Server, web: httpx.Client) -> None:
    evil = "<script>alert(1)</script>{{ 7*7 }}{% raw %}' OR '1'='1\"; DROP TABLE node; --"
    node = server.active_node(vendor="<img src=x onerror=alert(1)>")
    node.enroll(server.token(), name="<b>n</b>")
    facts = {"nics": [{"name": evil, evil: 1}], "half": "\ud800", "nul": "\u0000", "deep": {"a": [[], {}]}}
    text = json.dumps(facts, sort_keys=True, separators=(",", ":"))
    headers = {
        "Nodecrust-Facts-SHA256": hashlib.sha256(text.encode()).hexdigest(),
        "Content-Type": "application/json",
    }
    content = json.dumps({"facts": facts}).encode()
    assert node.send("PUT", "facts", content=content, headers=headers).status_code == 200
    node.heartbeat(state={"<script>": "<script>alert(2)</script>"})
    told = [{"seq": 1, "at": "2026-01-01T00:00:00Z", "kind": "<script>", "words": evil}]
    node.send("POST", "events", json={"events": told})

    page = web.get(f"/nodes/{node.node_id}")
    assert page.status_code == 200
    names = {tag for tag, _ in _tags(page.text)}
    assert not names & {"script", "img", "b"}
    assert "&lt;script&gt;alert(1)&lt;/script&gt;{{ 7*7 }}" in page.text
    assert (
        "49"
        not in re.sub(r"[0-9a-f]{8,}|\d{4}-\d\d-\d\d", "", page.text)
        .split("Facts</h2>")[1]
        .split("History")[0]
    )
    for path in ("/nodes", "/events"):
        assert not {tag for tag, _ in _tags(web.get(path).text)} & {"script", "img", "b"}
    assert server.cli("nodes", "show", str(node.node_id))


def test_log_out(server: Server) -> None:
    with _client(server) as client:
        client.post("/login", data={"token": server.admin_token})
        cookie = client.cookies["__Host-session"]
        client.post("/logout", data={"csrf": _csrf(client)})
        client.cookies.set("__Host-session", cookie)
        assert client.get("/nodes").status_code == 303


def test_a_new_admin_token_ends_the_old_one_and_its_logins(own_server: Server) -> None:
    with _client(own_server) as client:
        client.post("/login", data={"token": own_server.admin_token})
        assert client.get("/nodes").status_code == 200
        new = own_server.cli("admin", "reset").strip()
        assert client.get("/nodes").status_code == 303
        assert client.post("/login", data={"token": own_server.admin_token}).status_code == 401
        assert client.post("/login", data={"token": new}).status_code == 303
