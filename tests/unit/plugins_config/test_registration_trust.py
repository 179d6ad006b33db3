"""What the node's side believes: certificates, signatures, clocks; nothing here opens a socket."""

from __future__ import annotations

import base64
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from node.errors import NodeError, TryAgainError
from node.model.registration import Standing
from node.plugins.registration import clock
from node.plugins.registration.desired import checked, signed_bytes
from node.plugins.registration.key_store import FileKeyStore
from node.plugins.registration.memory import Memory, read_memory, write_memory
from node.plugins.registration.refusals import report_of
from node.plugins.registration.wire import CertificateError, ProblemError
from node.system.clock import ask_for_time
from node.system.files import LiveFiles
from node.testing.fake_system import FakeSystem

NOW = datetime(2026, 11, 26, tzinfo=UTC)


class Authority:
    """A CA with a child that signs."""

    def __init__(self, usage: x509.ObjectIdentifier = ExtendedKeyUsageOID.CODE_SIGNING) -> None:
        self.key, self.signer = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
        self.pem = self._made("ca", self.key, self.key)
        self.child = self._made("signer", self.signer, self.key, usage)

    def _made(self, name: str, key: Any, by: Any, usage: x509.ObjectIdentifier | None = None) -> str:
        def named(text: str) -> x509.Name:
            return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])

        builder = (
            x509.CertificateBuilder()
            .subject_name(named(name))
            .issuer_name(named("ca"))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(NOW - timedelta(days=1))
            .not_valid_after(NOW + timedelta(days=1))
        )
        if usage:
            builder = builder.add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
        return builder.sign(by, hashes.SHA256()).public_bytes(Encoding.PEM).decode()

    def sign(self, document: str, generation: int = 7, node_id: str = "n1") -> dict[str, Any]:
        signature = self.signer.sign(signed_bytes(node_id, generation, document), ec.ECDSA(hashes.SHA256()))
        encoded = base64.b64encode(signature).decode()
        return {"generation": generation, "document": document, "signature": encoded, "signer": self.child}


CA = Authority()


def read(data: dict[str, Any], **more: Any) -> Any:
    asked = {"ca": CA.pem, "node_id": "n1", "newest": 7, "source": "https://m", "now": NOW, **more}
    return checked(data, **asked)


def test_what_is_signed_for_this_node_is_believed() -> None:
    desired = read(CA.sign("network: {}\n"))
    assert (desired.generation, desired.document, desired.source) == (7, "network: {}\n", "https://m")


@pytest.mark.parametrize(
    ("data", "more", "words"),
    [
        (CA.sign("a", node_id="n2"), {}, "not signed for this node"),
        ({**CA.sign("a"), "document": "b"}, {}, "not signed for this node"),
        ({**CA.sign("a"), "generation": 8}, {}, "not signed for this node"),
        ({**CA.sign("a"), "signature": "!"}, {}, "not signed for this node"),
        (CA.sign("a", generation=6), {}, r"is older \(6\)"),
        (Authority().sign("a"), {}, "nobody that its CA knows"),
        ({**CA.sign("a"), "signer": CA.pem}, {}, "nobody that its CA knows"),
        ({**CA.sign("a"), "signer": "x"}, {}, "nobody that its CA knows"),
        (CA.sign("a"), {"now": NOW + timedelta(days=9)}, "doesn't count now"),
        ({"generation": True, "document": ""}, {}, "not the form"),
        ({"generation": 1, "document": None}, {}, "not the form"),
        (CA.sign("x" * 300_000), {}, "too long"),
    ],
)
def test_what_is_refused(data: dict[str, Any], more: dict[str, Any], words: str) -> None:
    with pytest.raises(NodeError, match=words):
        read(data, **more)


def test_a_certificate_of_a_node_signs_no_configuration() -> None:
    other = Authority(ExtendedKeyUsageOID.CLIENT_AUTH)
    with pytest.raises(NodeError, match="not for it"):
        read(other.sign("a"), ca=other.pem)


def test_the_key_is_made_once_and_is_the_owner_s(tmp_path: Path) -> None:
    store = FileKeyStore(tmp_path / "server", LiveFiles())
    assert store.ensure() is True
    assert store.ensure() is False
    assert stat.S_IMODE((tmp_path / "server/key.pem").stat().st_mode) == 0o600
    request = x509.load_pem_x509_csr(store.csr().encode())
    assert request.is_signature_valid
    assert isinstance(request.public_key(), ec.EllipticCurvePublicKey)
    assert len(store.fingerprint()) == 64
    (tmp_path / "server/key.pem").write_bytes(b"\0torn")
    with pytest.raises(NodeError, match="damaged"):
        store.ensure()


def test_the_memory_is_of_one_server(tmp_path: Path) -> None:
    memory = Memory("https://a", "aa", "n1", heard=7, untold=(3, "applied", "well"))
    write_memory(tmp_path, LiveFiles(), memory)
    assert read_memory(tmp_path, LiveFiles()) == memory
    assert memory.about("https://a", "aa", base=-1) == memory
    assert memory.about("https://b", "aa", base=-1).node_id == ""
    (tmp_path / "memory.json").write_text('{"untold": 5}')
    assert read_memory(tmp_path, LiveFiles()) == Memory()


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_server_that_is_busy_is_waited_for(status: int) -> None:
    assert report_of(ProblemError(status, "slow-down", "", 7.0)).standing is Standing.WAITING
    assert report_of(ProblemError(status, "slow-down", "", 7.0)).next_s == 7.0


def test_a_refusal_that_nobody_knows_is_told_with_its_words() -> None:
    report = report_of(ProblemError(403, "new-word", "because", None))
    assert report.standing is Standing.REFUSED
    assert "403 new-word" in report.words
    assert "because" in report.words
    assert report.mend


def mend(monkeypatch: pytest.MonkeyPatch, *, synchronized: bool, off_by: timedelta, told: timedelta) -> Any:
    moments = iter([NOW + off_by, NOW, NOW, NOW, NOW])
    set_to: list[datetime] = []
    monkeypatch.setattr(clock, "now", lambda: next(moments) if synchronized else NOW + off_by)
    monkeypatch.setattr(clock, "is_synchronized", lambda: False)
    monkeypatch.setattr(clock, "ask_for_time", lambda _: synchronized)
    monkeypatch.setattr(clock, "_servers_time", lambda *_: NOW + told)
    monkeypatch.setattr(clock, "set_clock", set_to.append)
    error = CertificateError("not yet valid", clock=True, mend="")
    return clock.mend_clock("https://m", "", FakeSystem().commands, error), set_to


def test_a_time_server_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    words, set_to = mend(monkeypatch, synchronized=True, off_by=timedelta(days=-800), told=timedelta(0))
    assert words == "the clock was 2 years slow and was set by a time server"
    assert set_to == []


def test_the_server_sets_it_forward_only(monkeypatch: pytest.MonkeyPatch) -> None:
    words, set_to = mend(monkeypatch, synchronized=False, off_by=timedelta(days=-40), told=timedelta(0))
    assert words == "the clock was 40 days slow and was set to the server's time"
    assert set_to == [NOW]
    with pytest.raises(TryAgainError, match="no time server answers"):
        mend(monkeypatch, synchronized=False, off_by=timedelta(days=900), told=timedelta(0))


def test_a_time_server_that_does_not_answer_is_waited_for_a_while(tmp_path: Path) -> None:
    system = FakeSystem()
    assert ask_for_time(system.commands, path=tmp_path / "no", wait_s=0.0) is False
    assert [call.arguments["argv"][1] for call in system.called("commands.run")] == ["restart"]
    (tmp_path / "yes").touch()
    assert ask_for_time(system.commands, path=tmp_path / "yes", wait_s=5.0) is True
