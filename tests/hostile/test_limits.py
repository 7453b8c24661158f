"""When there are too many: the newest is refused at once, and who is there goes on."""

import contextlib
import resource
import select
import socket
import ssl
import time

import pytest

from hostile.hostile_site import HostileSite, wait_until
from http1_client import Http1Client
from running_server import RunningServer

pytestmark = pytest.mark.slow

LIMITS = "connections=60 connections_per_address=40 handshakes=20 handshakes_per_address=10 handshake=60 head=60"


def is_served(site: HostileSite, source: str) -> bool:
    """Whether a connection from an address gets an answer."""
    try:
        client = Http1Client(site.address, source=source)
    except (OSError, ssl.SSLError):
        return False
    with client, contextlib.suppress(OSError, EOFError):
        return client.request("GET", "/nothing").status == 404
    return False


def test_connections_of_one_address(site: HostileSite) -> None:
    there = [site.client(source="127.0.0.2") for _ in range(40)]
    started = time.monotonic()
    assert not is_served(site, "127.0.0.2")
    assert time.monotonic() - started < 10, "whoever is refused hears of it at once"
    assert is_served(site, "127.0.0.3")
    assert there[0].request("GET", "/nothing").status == 404
    there[1].socket.close()
    wait_until(lambda: is_served(site, "127.0.0.2"), "a place that became free is not given away")


def test_connections_in_all(site: HostileSite) -> None:
    there = [site.client(source=f"127.0.0.{number % 4 + 2}") for number in range(59)]
    assert not is_served(site, "127.0.0.7")
    assert there[0].request("GET", "/nothing").status == 404
    for client in there[1:5]:
        client.socket.close()
    wait_until(lambda: is_served(site, "127.0.0.7"), "a place that became free is not given away")


def test_unfinished_handshakes(site: HostileSite) -> None:
    with contextlib.ExitStack() as stack:
        there = []
        for _ in range(15):
            there.append(socket.create_connection(site.address, source_address=("127.0.0.2", 0)))
            stack.callback(there[-1].close)
        wait_until(lambda: len(select.select(there, [], [], 0)[0]) == 5, "5 of 15 connections are closed")
        assert not is_served(site, "127.0.0.2")
        assert is_served(site, "127.0.0.3")
    wait_until(lambda: is_served(site, "127.0.0.2"), "the places of broken handshakes are lost")


def test_sessions_count_as_connections(site: HostileSite) -> None:
    sessions = [site.backup() for _ in range(38)]
    there = [site.client() for _ in range(1)]
    assert not is_served(site, "")
    assert sessions[0].call("GET", "/previous_backup_time").status == 200
    for session in sessions:
        session.close()
    for client in there:
        client.socket.close()
    wait_until(lambda: is_served(site, ""), "places of sessions are lost")


def test_few_file_descriptors(site: HostileSite) -> None:
    """Accepting goes on when there are descriptors again."""
    pid = site.server.pid
    soft, hard = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    assert soft == hard, "the server raises its limit when it starts"
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (site.descriptors() + 3, hard))
    there = []
    for _ in range(12):
        connection = socket.create_connection(site.address, source_address=("127.0.0.4", 0))
        there.append(connection)
    time.sleep(0.5)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (soft, hard))
    for connection in there:
        connection.close()
    wait_until(lambda: is_served(site, "127.0.0.5"), "the server accepts nobody any more")
    assert "cannot accept a connection" in site.server.log.read_text()


@pytest.mark.parametrize("limits", ["connections", "connections=x", "nonsense=1", "connections=0", "idle=-1"])
def test_limits_that_are_none(site: HostileSite, limits: str) -> None:
    server = RunningServer(site.server.root / "other", environment={"PBSTORE_LIMITS": limits})
    process = server.spawn("--listen", "127.0.0.1:0")
    process.communicate(timeout=30)
    assert process.returncode == 255
    assert limits.partition("=")[0] in server.log.read_text().splitlines()[-1]
