"""How the client comes to trust a certificate, and how it goes through a proxy."""

import base64
import contextlib
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from backup_site import BackupSite
from terminal import type_at

pytestmark = pytest.mark.slow

QUESTION = "Are you sure you want to continue connecting? (y/n): "
OTHER = ":".join(["ab"] * 32)


@pytest.fixture
def home(site: BackupSite, tmp_path: Path) -> dict[str, str]:
    """A home of the test's own, where nothing is known of the server."""
    variables = {name: value for name, value in site.environment.items() if name != "PBS_FINGERPRINT"}
    return {**variables, "XDG_CONFIG_HOME": str(tmp_path / "config"), "XDG_CACHE_HOME": str(tmp_path / "cache")}


def typed(site: BackupSite, home: dict[str, str], answer: str, *words: str) -> tuple[int, str]:
    return type_at(site.client.command(*words), [answer.encode() + b"\n"], site.client.variables(home))


def known(home: dict[str, str]) -> Path:
    return Path(home["XDG_CONFIG_HOME"]) / "proxmox-backup" / "fingerprints"


def test_a_confirmed_certificate_is_remembered(site: BackupSite, home: dict[str, str]) -> None:
    fingerprint = site.server.fingerprint
    code, shown = typed(site, home, "n", "status")
    assert code == 255
    assert shown.startswith(f"fingerprint: {fingerprint}\n{QUESTION}")
    assert "Certificate fingerprint was not confirmed." in shown
    assert not known(home).exists()
    code, shown = typed(site, home, "y", "status")
    assert (code, QUESTION in shown) == (0, True)
    assert known(home).read_text() == f"127.0.0.1 {fingerprint}\n"
    assert site.client("status", environment=home).exit_code == 0


def test_another_certificate_than_the_known_one_is_warned_of(site: BackupSite, home: dict[str, str]) -> None:
    known(home).parent.mkdir(parents=True)
    known(home).write_text(f"127.0.0.1 {OTHER}\nelsewhere {OTHER}\n")
    outcome = site.client("status", environment=home)
    warnings = [
        "WARNING: certificate fingerprint does not match expected fingerprint!",
        f"expected:    {OTHER}",
    ]
    assert outcome.exit_code == 255
    assert outcome.stderr.splitlines()[:2] == warnings
    code, shown = typed(site, home, "y", "status")
    assert code == 0
    assert shown.splitlines()[:3] == [*warnings, f"fingerprint: {site.server.fingerprint}"]
    assert known(home).read_text() == f"127.0.0.1 {site.server.fingerprint}\nelsewhere {OTHER}\n"


def test_what_the_environment_expects_is_not_stored(site: BackupSite, home: dict[str, str]) -> None:
    code, _ = typed(site, {**home, "PBS_FINGERPRINT": OTHER}, "y", "status")
    assert code == 0
    assert not known(home).exists()


@contextlib.contextmanager
def proxy(heads: list[str]) -> Iterator[int]:
    """An HTTP proxy that keeps the heads of the requests it gets."""
    listener = socket.create_server(("127.0.0.1", 0))

    def pump(source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)

    def serve(client: socket.socket) -> None:
        head = b""
        while b"\r\n\r\n" not in head:
            head += client.recv(4096)
        heads.append(head.decode())
        host, _, port = head.split()[1].decode().rpartition(":")
        with client, socket.create_connection((host, int(port))) as server:
            client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            back = threading.Thread(target=pump, args=(server, client), daemon=True)
            back.start()
            pump(client, server)
            back.join()

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


def test_all_connections_go_through_the_proxy(site: BackupSite, tmp_path: Path) -> None:
    heads: list[str] = []
    (tmp_path / "a.conf").write_text("x")
    with proxy(heads) as port:
        words = ("backup", f"a.conf:{tmp_path / 'a.conf'}", "--backup-id", "proxied")
        outcome = site.succeed(*words, ALL_PROXY=f"http://us%65r:secret@127.0.0.1:{port}")
    assert f"Using proxy connection: 127.0.0.1:{port}\n" in outcome.stderr
    assert "secret" not in outcome.stderr
    assert len(heads) >= 2
    assert all(head.startswith(f"CONNECT 127.0.0.1:{site.server.port} HTTP/1.1\r\n") for head in heads)
    credentials = base64.b64encode(b"user:secret").decode()
    assert all(f"basic {credentials}".lower() in head.lower() for head in heads)
