"""Connections of the client's compiled core, and calls on sessions."""

import socket
import threading

import pytest

from pbstore._core import Connection
from pbstore.errors import CertificateError, ConnectionFailedError, FormatError, ProtocolError, ServerError
from session.client.client_site import ClientSite


def test_a_wrong_fingerprint_is_refused_and_the_right_one_told(site: ClientSite) -> None:
    for wrong in (None, ":".join(["00"] * 32)):
        connection = Connection("127.0.0.1", site.server.port, fingerprint=wrong)
        with pytest.raises(CertificateError) as caught:
            connection.request("GET", "/api2/json/ping", [])
        assert caught.value.fingerprint == site.server.fingerprint
        assert str(caught.value).count("\n") == 0
    upper = Connection("127.0.0.1", site.server.port, fingerprint=site.server.fingerprint.upper())
    assert upper.request("GET", "/api2/json/ping", [])[0] == 200


def test_a_trusted_authority_needs_no_fingerprint(site: ClientSite) -> None:
    connection = Connection("localhost", site.server.port, ca_file=site.server.roots.certificate)
    status, headers, body = connection.request("GET", "/api2/json/ping", [])
    assert (status, body) == (200, b'{"data":{"pong":true}}')
    assert dict(headers)["content-type"] == "application/json;charset=UTF-8"


@pytest.mark.parametrize("text", ["", "00", "zz" * 32, ":".join(["0"] * 64), ":".join(["00"] * 31 + ["é"])])
def test_a_fingerprint_that_is_none(text: str) -> None:
    with pytest.raises(FormatError):
        Connection("localhost", 8007, fingerprint=text)


def test_nobody_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(ConnectionFailedError, match=f"unable to connect to 127.0.0.1:{port}: "):
        Connection("127.0.0.1", port).request("GET", "/", [])


def test_somebody_who_speaks_no_tls() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer() -> None:
            accepted, _ = listener.accept()
            accepted.recv(100)
            accepted.sendall(b"220 mail.example.com ESMTP\r\n")
            accepted.close()

        thread = threading.Thread(target=answer)
        thread.start()
        with pytest.raises(ConnectionFailedError, match="TLS handshake failed"):
            Connection("127.0.0.1", listener.getsockname()[1]).request("GET", "/", [])
        thread.join()


def test_an_answer_larger_than_allowed(site: ClientSite) -> None:
    with pytest.raises(ProtocolError, match="more than 3 bytes"):
        site.connection().request("GET", "/api2/json/ping", [], max_bytes=3)


def test_header_values_are_checked_and_not_shown(site: ClientSite) -> None:
    with pytest.raises(FormatError) as caught:
        site.connection().request("GET", "/", [("Authorization", "secret\r\nx: y")])
    assert "secret" not in str(caught.value)


def test_the_servers_words_reach_the_user(site: ClientSite) -> None:
    target = "/api2/json/backup?store=none&backup-type=host&backup-id=x&backup-time=1"
    with pytest.raises(ServerError) as refused:
        site.connection().open_session(target, "proxmox-backup-protocol-v1", site.headers)
    assert refused.value.status in (400, 403)
    _, session = site.backup()
    with pytest.raises(ServerError, match="not found") as unknown:
        session.request("GET", "nothing")
    assert unknown.value.status == 404
    with pytest.raises(ServerError) as empty:
        session.request("POST", "finish")
    assert empty.value.status == 400
    with pytest.raises(ProtocolError, match="4096"):
        session.request("GET", "previous", "x" * 4097)


def test_a_closed_session_says_so(site: ClientSite) -> None:
    _, session = site.backup()
    session.close()
    session.close()
    with pytest.raises(ConnectionFailedError):
        session.request("GET", "previous_backup_time")
