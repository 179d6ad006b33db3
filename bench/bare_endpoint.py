"""What any server of this kind has to do: the same TLS, HTTP and bodies, no more. For `registration`."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import uvicorn
from fastapi import FastAPI

from server.api.bodies import EnrolBody, HeartbeatAnswer, HeartbeatBody, PendingAnswer
from server.ca import open_authority
from server.names import listen_on
from server.tls import server_context


def application() -> FastAPI:
    """Two endpoints that read their bodies and answer the same each time."""
    app = FastAPI(openapi_url=None)

    @app.post("/v1/enroll", status_code=202)
    def enrol(body: EnrolBody) -> PendingAnswer:
        return PendingAnswer(node_id=body.protocol * "0", retry_after_s=30, key_fingerprint="0" * 64)

    @app.post("/v1/nodes/{node_id}/heartbeat")
    def heartbeat(node_id: str, body: HeartbeatBody) -> HeartbeatAnswer:
        return HeartbeatAnswer(
            next_s=60, time=node_id, facts_wanted=False, config_generation=None, config_etag=body.boot_id,
            work=[],
        )  # fmt: skip

    return app


async def _serve(ca_folder: Path) -> None:
    authority = open_authority(ca_folder, create=False)
    config = uvicorn.Config(
        application(), http="h11", loop="asyncio", lifespan="off", ws="none", log_config=None,
        access_log=False,
    )  # fmt: skip
    config.load()
    config.ssl = server_context(authority.server_file(["127.0.0.1"]), authority.pem)
    listener = listen_on("127.0.0.1", 0)
    print(f"ready https://127.0.0.1:{listener.getsockname()[1]}", flush=True)
    await uvicorn.Server(config).serve([listener])


if __name__ == "__main__":
    asyncio.run(_serve(Path(sys.argv[1])))
