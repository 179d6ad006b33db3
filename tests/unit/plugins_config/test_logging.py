from __future__ import annotations

import base64
from pathlib import Path

import pytest
from pydantic import ValidationError

from node.model.answers import Answers
from node.model.state import State
from node.plugins import logging
from node.plugins.logging import LoggingAnswers
from node.plugins.logging.target import target_of
from node.system.commands import LiveCommands

HEADER = "# Made by nodectl at every boot from /config/node.yaml; a change here is lost.\n"
LIVE = (("systemctl", "restart", "nodecrust-syslog.service"),)
RSYSLOGD = Path("/usr/sbin/rsyslogd")
DER = b"\x30\x82\x01\x00" + b"\0" * 256
PEM = f"-----BEGIN CERTIFICATE-----\n{base64.b64encode(DER).decode()}\n-----END CERTIFICATE-----\n"
QUEUE = (
    'queue.type="LinkedList" queue.filename="server{}" queue.maxDiskSpace="64m" queue.saveOnShutdown="on" '
    'action.resumeRetryCount="-1" action.resumeInterval="5" action.resumeIntervalMax="60")\n'
)


def refused(**fields):
    with pytest.raises(ValidationError) as caught:
        LoggingAnswers.model_validate(fields)
    return [(error["type"], error["msg"]) for error in caught.value.errors()]


def files(**fields):
    return {file.path: file for file in logging.node_render(State(sections={"logging": fields}))}


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("log.example.org", "udp://log.example.org:514"),
        ("192.0.2.5:1514", "udp://192.0.2.5:1514"),
        ("tcp://log", "tcp://log:514"),
        ("TLS://log.example.org/", "tls://log.example.org:6514"),
        ("tls://[2001:db8::5]:7000", "tls://[2001:db8::5]:7000"),
        ("udp://[2001:db8::5]", "udp://[2001:db8::5]:514"),
    ],
)
def test_log_servers(text, meant):
    assert str(target_of(text)) == meant


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("tsl://log", "did you mean tls?"),
        ("https://log", "is none of udp, tcp, tls"),
        ("tcp://log:0", "is not a port"),
        ("tcp://log:70000", "is not a port"),
        ("tcp://", "is not a log server"),
        ("tcp://a/b", "is not a log server"),
        ("2001:db8::5", "is not a log server"),
        ('log"', "no label"),
        ("a_b", "no label"),
        ("10.0.0", "reads as an address"),
    ],
)
def test_log_servers_that_are_refused_say_why(text, word):
    ((code, what),) = refused(forward=[text])
    assert code == "log-server-invalid"
    assert word in what


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("x", "no certificate"),
        (PEM[:-30], "cut short"),
        (PEM.replace("AAAAAAAA", "AAAA", 1), "cut short"),
        (PEM.replace("MII", "MIJ"), "cut short"),
        (PEM + "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "private key"),
    ],
)
def test_a_ca_that_is_none(text, word):
    ((code, what),) = refused(ca=text)
    assert code == "ca-invalid"
    assert word in what


def test_every_wrong_value_is_named_at_once():
    found = refused(forward="tcp://-", ca="x", tls_name="-")
    assert [code for code, _ in found] == ["log-server-invalid", "ca-invalid", "tls-name-invalid"]


def test_the_configuration():
    found = files(forward="tls://log.example.org,tcp://192.0.2.5:1514 [2001:db8::5]", ca=PEM)
    assert set(found) == {"/etc/nodecrust/log-ca.pem", "/etc/nodecrust/rsyslog.conf"}
    assert {file.live for file in found.values()} == {LIVE}
    assert found["/etc/nodecrust/log-ca.pem"].contents == PEM
    assert found["/etc/nodecrust/rsyslog.conf"].contents == (
        f"{HEADER}"
        'global(workDirectory="/var/log/nodecrust/syslog" processInternalMessages="off"\n'
        '  defaultNetstreamDriverCAFile="/etc/nodecrust/log-ca.pem")\n'
        'module(load="imjournal" StateFile="journal" IgnorePreviousMessages="off" Ratelimit.Interval="0")\n'
        'action(type="omfwd" name="tls://log.example.org:6514" target="log.example.org" port="6514"\n'
        '  protocol="tcp" template="RSYSLOG_SyslogProtocol23Format"\n'
        '  TCP_Framing="octet-counted" StreamDriver="gtls" StreamDriverMode="1" '
        'StreamDriverAuthMode="x509/name" StreamDriverPermittedPeers="log.example.org"\n'
        f"  {QUEUE.format(1)}"
        'action(type="omfwd" name="tcp://192.0.2.5:1514" target="192.0.2.5" port="1514"\n'
        '  protocol="tcp" template="RSYSLOG_SyslogProtocol23Format"\n'
        f"  {QUEUE.format(2)}"
        'action(type="omfwd" name="udp://[2001:db8::5]:514" target="2001:db8::5" port="514"\n'
        '  protocol="udp" template="RSYSLOG_SyslogProtocol23Format"\n'
        f"  {QUEUE.format(3)}"
    )


def test_without_a_ca_the_images_own_count():
    text = files(forward="tls://192.0.2.5", tls_name="log.example.org")[
        "/etc/nodecrust/rsyslog.conf"
    ].contents
    assert 'CAFile="/etc/ssl/certs/ca-certificates.crt"' in text
    assert 'StreamDriverPermittedPeers="log.example.org"' in text
    assert "CAFile" not in files(forward="tcp://192.0.2.5")["/etc/nodecrust/rsyslog.conf"].contents


def test_without_a_server_nothing_runs():
    assert files(ca=PEM) == {}


def test_tls_that_nothing_uses_is_a_warning():
    def found(**fields):
        return [p.where for p in logging.node_validate(Answers({"logging": LoggingAnswers(**fields)}))]

    assert found(ca=PEM, tls_name="a", forward="tcp://x") == ["logging.ca", "logging.tls_name"]
    assert found(ca=PEM, forward=("udp://x", "tls://y")) == []


@pytest.mark.skipif(not RSYSLOGD.exists(), reason="rsyslog is not installed")
@pytest.mark.effects("processes", "writes")
def test_rsyslog_itself(tmp_path):
    text = files(forward="tls://log.example.org,tcp://192.0.2.5")["/etc/nodecrust/rsyslog.conf"].contents
    (tmp_path / "rsyslog.conf").write_text(text.replace("/var/log/nodecrust/syslog", str(tmp_path)))
    LiveCommands().run([RSYSLOGD, "-N1", "-f", tmp_path / "rsyslog.conf"], timeout_s=20)
