"""The demo's management server, without its virtual machine: what the node is told is true and enough."""

from __future__ import annotations

import ssl
import stat
from pathlib import Path

import httpx
import pytest
import yaml
from cryptography import x509

from demo.management import POOL, ManagementServer
from demo.plan import MAC, Place, Registration, Settings, Way, write_answers
from node.installer.answers import merge, validate
from node.installer.flow import load_plugins
from node.model.answers import Layer
from node.model.origin import Precedence
from node.testing.vm import Accel, Firmware
from server.certificates import fingerprint
from tests.server.client import FakeNode


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_the_answers_lead_one_machine_to_the_server_once(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A database of somebody else's must not be found.
    monkeypatch.setenv("NODE_SERVER_DATABASE", "postgresql://nobody@127.0.0.1:9/none")
    monkeypatch.setenv("NODECRUST_PLUGINS", "")
    with ManagementServer(place.server, log=place.log("server")) as server:
        told = Registration(server.url, server.fingerprint(), server.token(MAC), POOL)
        write_answers(place, told)
        assert stat.S_IMODE(place.answers.stat().st_mode) == 0o600
        answers = yaml.safe_load(place.answers.read_text())
        _, problems = validate(merge([Layer(Precedence.FILE, answers, "answers")]), load_plugins().models())
        assert problems == ()
        assert answers["registration"]["server"] == f"https://10.0.2.2:{server.port}"

        # The machine sees loopback as 10.0.2.2, so that the certificate has to say so.
        pem = ssl.get_server_certificate(("127.0.0.1", server.port))
        names = x509.load_pem_x509_certificate(pem.encode()).extensions
        found = names.get_extension_for_class(x509.SubjectAlternativeName).value
        assert "10.0.2.2" in {str(each) for each in found.get_values_for_type(x509.IPAddress)}
        ca = place.server / "ca" / "ca.crt"
        assert fingerprint(x509.load_pem_x509_certificate(ca.read_bytes())) == told.fingerprint

        url = f"https://127.0.0.1:{server.port}"
        other = FakeNode(url, ca, place.folder)
        assert other.enroll(told.token, pool=POOL).json()["code"] == "token-wrong-machine"
        machine = FakeNode(url, ca, place.folder, macs=[MAC])
        assert machine.enroll(told.token, pool=POOL).status_code == 200
        assert machine.heartbeat().status_code == 200
        (node,) = server.nodes()
        assert (node["state"], node["pool"]) == ("active", POOL)
        assert POOL in server.say("nodes", "list")


def test_it_comes_back_as_the_same_server(place: Place) -> None:
    with ManagementServer(place.server, log=place.log("server")) as first:
        known = first.fingerprint()
        token = first.admin_token.read_text()
    Settings(Firmware.BIOS, Way.PXE, Accel.TCG, first.port).save(place.settings)
    with ManagementServer(
        place.server, log=place.log("server"), port=Settings.load(place.settings).port
    ) as again:
        assert (again.url, again.fingerprint(), again.admin_token.read_text()) == (first.url, known, token)
        with httpx.Client(verify=False, trust_env=False) as client:
            assert client.get(f"https://127.0.0.1:{again.port}/v1/health").json()["status"] == "ok"
