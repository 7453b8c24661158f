"""The lines of the access log (protocol-transport.md 7)."""

import re

import pytest

from pbstore.model.auth_id import AuthId
from pbstore.server.access_log import access_line, host_of, without_secrets


def line(**changes: object) -> str:
    facts: dict[str, object] = {
        "peer": "127.0.0.1:4711",
        "caller": None,
        "now": 1700000000.5,
        "method": "GET",
        "target": "//api2/json/version?_dc=1",
        "status": 200,
        "size": 52,
        "agent": "proxmox-backup-client/1.0",
    }
    return access_line(**{**facts, **changes})  # type: ignore[arg-type]


def test_access_line_has_the_form_of_the_original() -> None:
    pattern = (
        r"127\.0\.0\.1 - - \[1[45]/11/2023:[0-9:]{8} [+-][0-9]{4}\] "
        r'"GET //api2/json/version\?_dc=1" 200 52 proxmox-backup-client/1\.0'
    )
    assert re.fullmatch(pattern, line())


def test_access_line_names_the_caller_and_a_missing_agent() -> None:
    text = line(caller=AuthId.parse("a@pbs!tok"), agent="", peer="[::ffff:127.0.0.1]:50000")
    assert text.startswith("::ffff:127.0.0.1 - a@pbs!tok [")
    assert text.endswith(" 200 52 -")


def test_access_line_is_bounded() -> None:
    text = line(target="/" + "x" * 5000, agent="y" * 500)
    assert text.count("x") == 3071
    assert text.count("y") == 128


@pytest.mark.parametrize(("peer", "host"), [("1.2.3.4:5", "1.2.3.4"), ("[::1]:5", "::1"), ("", "-")])
def test_host_of(peer: str, host: str) -> None:
    assert host_of(peer) == host


def test_secrets_in_a_query_are_not_logged() -> None:
    target = "/api2/json/access/ticket?username=a@pbs&p%61ssword=geheim&password=geheim"
    assert without_secrets(target) == "/api2/json/access/ticket?username=a@pbs&p%61ssword=*&password=*"
    assert without_secrets("/x?a=1&b") == "/x?a=1&b"
    assert without_secrets("/x") == "/x"
