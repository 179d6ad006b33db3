"""Fetching, from a server of its own on 127.0.0.1, with TLS and certificates of its own."""

from __future__ import annotations

import hashlib
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from node.errors import CommandFailedError, InputError, TryAgainError
from node.installer.sources.fetch import fetch
from node.installer.sources.location import Location, Scheme
from node.testing.fake_system import FakeSystem

pytestmark = pytest.mark.effects("sockets")

BODY = b"version: 1\n"
SHA = hashlib.sha256(BODY).hexdigest()


@pytest.fixture(scope="session")
def tls(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Certificates; made afresh, so that no private key lies in the repository."""
    folder = tmp_path_factory.mktemp("tls")
    script = Path(__file__).parent / "make-certificates.sh"
    subprocess.run([script, folder], check=True, capture_output=True)
    return folder


@dataclass
class Served:
    """Answers in turn, the last one again and again: (status, headers, body)."""

    answers: list[tuple[int, dict[str, str], bytes]] = field(default_factory=lambda: [(200, {}, BODY)])
    asked: int = 0
    url: str = ""


@contextmanager
def serving(served: Served, certificate: Path | None = None) -> Iterator[Served]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, headers, body = served.answers[min(served.asked, len(served.answers) - 1)]
            served.asked += 1
            self.send_response(status)
            for name, value in ({"Content-Length": str(len(body))} | headers).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    server.handle_error = lambda *_: None  # type: ignore[method-assign]
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(f"{certificate}-chain.pem", f"{certificate}.key")
        server.socket = context.wrap_socket(server.socket, server_side=True)
    served.url = f"{'https' if certificate else 'http'}://127.0.0.1:{server.server_port}/a.yaml"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield served
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def get(location: Location, retries: int = 3) -> bytes:
    return fetch(location, commands=FakeSystem().commands.__class__, retries=retries, backoff_s=0.01)


def ca_sha256(certificate: Path) -> str:
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(certificate.read_text())).hexdigest()


def http(url: str, **named: object) -> Location:
    scheme = Scheme.HTTPS if url.startswith("https") else Scheme.HTTP
    return replace(Location(scheme, url), **named)  # type: ignore[arg-type]


def test_what_has_the_right_sha256_is_given():
    with serving(Served()) as served:
        assert get(http(served.url, sha256=SHA)) == BODY


def test_another_sha256_is_refused_and_both_are_named():
    with serving(Served()) as served, pytest.raises(InputError) as caught:
        get(http(served.url, sha256="ab" * 32))
    assert "ab" * 32 in caught.value.details
    assert SHA in caught.value.details


def test_a_busy_server_is_asked_again():
    with serving(Served([(503, {}, b""), (429, {"Retry-After": "0"}, b""), (200, {}, BODY)])) as served:
        assert get(http(served.url)) == BODY
        assert served.asked == 3


def test_a_server_that_stays_busy_is_for_later():
    with serving(Served([(503, {}, b"")])) as served, pytest.raises(TryAgainError, match="503"):
        get(http(served.url))
    assert served.asked == 4


def test_a_server_that_is_not_there_is_for_later():
    with serving(Served()) as served:
        pass
    with pytest.raises(TryAgainError, match="can't be reached") as caught:
        get(http(served.url))
    assert caught.value.details == "Failed to establish a new connection: [Errno 111] Connection refused"


def test_what_is_not_there_is_a_wrong_answer():
    with serving(Served([(404, {}, b"")])) as served, pytest.raises(InputError, match="404"):
        get(http(served.url))
    assert served.asked == 1


def test_what_breaks_off_is_for_later():
    cut = Served([(200, {"Content-Length": "9999"}, BODY)])
    with serving(cut), pytest.raises(TryAgainError, match="broke off"):
        get(http(cut.url))


def test_what_is_too_large_is_refused():
    with serving(Served([(200, {}, b"x" * (2 << 20))])) as served, pytest.raises(InputError, match="larger"):
        get(http(served.url))


def test_redirects_are_followed_within_a_scheme_and_for_a_while(tls: Path):
    with serving(Served([(302, {"Location": "/b"}, b""), (200, {}, BODY)])) as served:
        assert get(http(served.url)) == BODY
    with (
        serving(Served([(302, {"Location": "/b"}, b"")])) as served,
        pytest.raises(InputError, match="circle"),
    ):
        get(http(served.url))
    with (
        serving(Served([(302, {"Location": "http://127.0.0.1:1/b"}, b"")]), tls / "server") as served,
        pytest.raises(InputError, match="is no https"),
    ):
        get(http(served.url, ca_file=tls / "ca.pem"))


@pytest.mark.parametrize("nonsense", ["http://127.0.0.1:99999/b", "http://[1/b", "file:///etc/shadow"])
def test_a_redirect_to_nowhere_is_said_in_words(nonsense: str):
    with (
        serving(Served([(302, {"Location": nonsense}, b"")])) as served,
        pytest.raises(InputError, match="is no http"),
    ):
        get(http(served.url))


def test_a_pinned_ca_is_believed_by_file_and_by_fingerprint(tls: Path):
    with serving(Served(), tls / "server") as served:
        assert get(http(served.url, ca_file=tls / "ca.pem")) == BODY
        assert get(http(served.url, ca_sha256=ca_sha256(tls / "ca.pem"))) == BODY
        assert get(http(served.url, ca_sha256=ca_sha256(tls / "server.pem"))) == BODY
        assert get(http(served.url, sha256=SHA)) == BODY


def test_another_ca_is_not_believed(tls: Path):
    with serving(Served(), tls / "server") as served:
        with pytest.raises(InputError, match="certificate is refused"):
            get(http(served.url, ca_file=tls / "other-ca.pem"))
        with pytest.raises(InputError, match="no certificate with the fingerprint") as caught:
            get(http(served.url, ca_sha256=ca_sha256(tls / "other-ca.pem")))
        assert ca_sha256(tls / "server.pem") in caught.value.details
    assert served.asked == 0


def test_a_forged_certificate_beside_the_pinned_one_is_not_believed(tls: Path):
    # The chain holds the pinned CA, but the server's own certificate is someone else's.
    with (
        serving(Served(), tls / "forged") as served,
        pytest.raises(InputError, match="certificate is refused"),
    ):
        get(http(served.url, ca_sha256=ca_sha256(tls / "ca.pem")))
    assert served.asked == 0


def test_another_host_s_certificate_is_not_believed(tls: Path):
    with (
        serving(Served(), tls / "elsewhere") as served,
        pytest.raises(InputError, match="certificate is refused"),
    ):
        get(http(served.url, ca_file=tls / "ca.pem"))


def test_an_expired_certificate_points_at_the_clock(tls: Path):
    with serving(Served(), tls / "expired") as served, pytest.raises(InputError) as caught:
        get(http(served.url, ca_file=tls / "ca.pem"))
    assert "clock" in caught.value.mend


def test_a_ca_file_that_is_none_is_named(tls: Path, tmp_path: Path):
    (tmp_path / "ca.pem").write_text("nonsense")
    with serving(Served(), tls / "server") as served, pytest.raises(InputError, match="no certificate"):
        get(http(served.url, ca_file=tmp_path / "ca.pem"))


@pytest.mark.parametrize(("status", "kind"), [(68, InputError), (63, InputError), (7, TryAgainError)])
def test_tftp_goes_through_curl(status: int, kind: type[Exception]):
    system = FakeSystem()
    system.failing["commands.run"] = CommandFailedError("curl failed", argv=["curl"], status=status)
    with pytest.raises(kind):
        fetch(Location(Scheme.TFTP, "tftp://192.0.2.1/a.yaml"), commands=lambda: system.commands)
    (call,) = system.calls
    assert call.arguments["argv"][-1] == "tftp://192.0.2.1/a.yaml"
