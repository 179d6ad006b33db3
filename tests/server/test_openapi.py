"""The OpenAPI document, and requests that schemathesis makes of it."""

from __future__ import annotations

from pathlib import Path

import pytest
import schemathesis
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.server.running import Server

_CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
_EXAMPLES = 15
_TAKEN = {
    "/v1/nodes/{node_id}/heartbeat": {200},
    "/v1/nodes/{node_id}/config/report": {204},
    "/v1/nodes/{node_id}/events": {200},
    "/v1/nodes/{node_id}/config": {404},
    "/v1/nodes/{node_id}/facts": {400},
    "/v1/enroll": {400},
}
OPERATIONS = [
    ("GET", "/v1/ca"),
    ("GET", "/v1/health"),
    ("POST", "/v1/enroll"),
    ("POST", "/v1/nodes/{node_id}/renew"),
    ("PUT", "/v1/nodes/{node_id}/facts"),
    ("POST", "/v1/nodes/{node_id}/heartbeat"),
    ("GET", "/v1/nodes/{node_id}/config"),
    ("POST", "/v1/nodes/{node_id}/config/report"),
    ("POST", "/v1/nodes/{node_id}/events"),
]


@pytest.fixture(scope="module")
def document(server: Server) -> schemathesis.BaseSchema:
    return schemathesis.openapi.from_url(f"{server.url}/v1/openapi.json", verify=str(server.ca))


def test_the_document_names_every_operation_and_its_right(server: Server) -> None:
    with server.node().client() as client:
        paths = client.get("/v1/openapi.json").json()["paths"]
    found = {
        (method.upper(), path): what for path, methods in paths.items() for method, what in methods.items()
    }
    assert sorted(found) == sorted(OPERATIONS)
    for (_, path), operation in found.items():
        if "{node_id}" in path:
            assert operation["security"] == [{"certificate": []}], path
    assert found["POST", "/v1/enroll"]["security"] == [{"token": []}]


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_anything_that_the_document_allows_or_forbids(
    server: Server, document: schemathesis.BaseSchema, tmp_path: Path, method: str, path: str
) -> None:
    node = server.active_node()
    certificate = tmp_path / "node.pem"
    key = node.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    certificate.write_bytes(key + str(node.certificate).encode())
    token = server.token("--uses", "1000000", "--ttl", "1h")
    headers = {"Authorization": f"Bearer {token}"} if path == "/v1/enroll" else {}
    statuses: set[int] = set()

    @settings(
        max_examples=_EXAMPLES,
        deadline=None,
        derandomize=True,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=document[path][method].as_strategy(), own=st.integers(0, 3))
    def run(case: schemathesis.Case, own: int) -> None:
        # Most requests are the node's own; the others ask for whatever was made up.
        if own and "{node_id}" in path:
            case.path_parameters["node_id"] = node.node_id
        response = case.call(verify=str(server.ca), cert=str(certificate), headers=headers)
        case.validate_response(response, checks=_CHECKS)
        statuses.add(response.status_code)

    run()
    # What can be made up at all was taken at least once.
    assert statuses & _TAKEN.get(path, set(range(600))), statuses
