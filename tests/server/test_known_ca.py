"""The database knows its CA: no other one takes its place unless somebody says so."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from sqlalchemy import text

from tests.server.running import Server

RUN = ("run", "--listen", "127.0.0.1:0")


def test_no_ca_is_made_over_nodes_that_know_one(own_server: Server, tmp_path: Path) -> None:
    own_server.active_node()
    fingerprint = own_server.json("ca", "show")["fingerprint"]
    own_server.stop()
    kept = own_server.data / "ca"
    kept.rename(tmp_path / "kept")
    said = own_server.cli(*RUN, code=2)
    assert fingerprint in said
    assert "--new-ca" in said
    assert "restore" in said
    assert not kept.exists()
    (tmp_path / "kept").rename(kept)
    own_server.start()


def test_another_ca_than_the_known_one_is_refused(own_server: Server, tmp_path: Path) -> None:
    own_server.stop()
    stranger = Server(tmp_path / "stranger", f"sqlite:///{tmp_path / 'stranger.db'}")
    stranger.folder.mkdir()
    stranger.start()
    stranger.stop()
    kept = own_server.data / "ca"
    kept.rename(tmp_path / "kept")
    shutil.copytree(stranger.data / "ca", kept)
    assert "another CA" in own_server.cli(*RUN, code=2)
    proxy = ["proxy", "create", "x", "--host", "a", "--output", str(tmp_path / "p")]
    assert "another CA" in own_server.cli(*proxy, code=2)
    assert not (tmp_path / "p").exists()
    shutil.rmtree(kept)
    (tmp_path / "kept").rename(kept)
    own_server.start()


@pytest.mark.parametrize("was_written_down", [True, False])
def test_a_new_ca_where_somebody_says_so(own_server: Server, was_written_down: bool) -> None:
    node = own_server.active_node()
    old = own_server.json("ca", "show")["fingerprint"]
    own_server.stop()
    if not was_written_down:
        with own_server.database() as database, database.write() as session:
            session.execute(text("DELETE FROM known_ca"))
    shutil.rmtree(own_server.data / "ca")
    assert "--new-ca" in own_server.cli(*RUN, code=2)
    options = own_server.options
    own_server.options = (*options, "--new-ca")
    own_server.start()
    new = own_server.json("ca", "show")["fingerprint"]
    assert new != old
    told = [event["words"] for event in own_server.events() if event["kind"] == "new-ca"]
    assert len(told) == 1
    assert told[0].startswith(f"{new}, in place of ")
    assert (old in told[0]) == was_written_down
    # Said once more it is the same CA, and without it too.
    for more in ((*options, "--new-ca"), options):
        own_server.stop()
        own_server.options = more
        own_server.start()
        assert own_server.json("ca", "show")["fingerprint"] == new
    assert len([event for event in own_server.events() if event["kind"] == "new-ca"]) == 1
    # A node that was told the new fingerprint gets a certificate of the new CA, by its old key.
    node.url, node.certificate = own_server.url, None
    assert node.enroll().status_code == 200
    assert node.heartbeat().status_code == 200
