"""What the front does itself in a backup session: chunk uploads, limits, and the end (backup-protocol.md 2.4)."""

import contextlib
import hashlib
import os
import threading
import time
from pathlib import Path

import h2.settings
import pytest

from front_site import BACKUP, Recorder, Site
from http2_client import Http2Client
from pbstore._core import BackupChunks, CryptKey, FileBody, SessionGrant, chunk_digest, open_blob, seal_blob


def upload_target(data: bytes, blob: bytes, *, kind: str = "fixed", wid: int = 1, digest: str | None = None) -> str:
    """Return the target of an upload."""
    digest = digest or hashlib.sha256(data).hexdigest()
    return f"/{kind}_chunk?wid={wid}&digest={digest}&size={len(data)}&encoded-size={len(blob)}"


def upload(client: Http2Client, data: bytes, **options: object) -> tuple[int, bytes]:
    """Upload plain data as a chunk."""
    blob = seal_blob(data)
    answer = client.call("POST", upload_target(data, blob, **options), blob)  # type: ignore[arg-type]
    return answer.status, bytes(answer.body)


def test_announces_the_settings_of_the_protocol(site: Site) -> None:
    client = site.open_backup(Recorder())
    assert client.call("GET", "/").status == 200
    settings = client.remote_settings
    assert settings[h2.settings.SettingCodes.INITIAL_WINDOW_SIZE] == 32 << 20
    assert settings[h2.settings.SettingCodes.MAX_FRAME_SIZE] == 4 << 20
    assert settings[h2.settings.SettingCodes.MAX_CONCURRENT_STREAMS] == 200
    assert client.connection_window > 1 << 20


def test_a_backup_from_upload_to_closed_index(site: Site) -> None:
    chunks, session = BackupChunks(site.store), Recorder()
    client = site.open_backup(session, chunks)
    wid = chunks.create_fixed(site.directory / "disk.img.fidx", 9 << 20)
    parts = [os.urandom(4 << 20), bytes(4 << 20), b"x" * (1 << 20)]
    for data in parts:
        digest = hashlib.sha256(data).hexdigest()
        assert upload(client, data) == (200, f'{{"data":"{digest}"}}'.encode())
    digests = [hashlib.sha256(data) for data in parts]
    chunks.append("fixed", wid, [sha.hexdigest() for sha in digests], [0, 4 << 20, 8 << 20])
    csum = hashlib.sha256(b"".join(sha.digest() for sha in digests)).digest()
    stats = chunks.close_writer("fixed", wid, 3, 9 << 20, csum)
    assert (stats.csum, stats.size, stats.chunk_count, stats.upload_count) == (csum, 9 << 20, 3, 3)
    for expected, data in zip(digests, parts, strict=True):
        assert open_blob(site.store.read(expected.digest())) == data
    client.close()
    assert session.wait() is None
    assert not session.failures


def test_hands_other_calls_to_the_session(site: Site) -> None:
    session = Recorder()
    client = site.open_backup(session)
    body = b'{"wid":1,"digest-list":[],"offset-list":[]}'
    answer = client.call("PUT", "//fixed_index?", body, content_type="application/json")
    assert (answer.status, bytes(answer.body)) == (200, b'{"data":null}')
    blob = seal_blob(os.urandom(3 << 20))
    assert client.call("POST", f"/blob?file-name=x.blob&encoded-size={len(blob)}", blob).status == 200
    assert session.calls[0] == ("PUT", "/fixed_index", "", "application/json", body)
    assert session.calls[1][1:3] == ("/blob", f"file-name=x.blob&encoded-size={len(blob)}")
    assert session.calls[1][4] == blob


def test_sends_files_of_the_session(site: Site) -> None:
    path = site.directory / "index"
    path.write_bytes(os.urandom(7_000_001))
    client = site.open_backup(Recorder(lambda *call: (200, [], FileBody(path))))
    answer = client.call("GET", "/previous?archive-name=x")
    assert bytes(answer.body) == path.read_bytes()
    assert "content-length" not in answer.headers


@pytest.mark.parametrize(
    ("target", "text"),
    [
        ("/fixed_chunk", "parameter verification failed:"),
        ("/fixed_chunk?wid=1&size=5&encoded-size=17", "'digest': parameter is missing and it is not optional."),
        ("/fixed_chunk?wid=1&size=5&encoded-size=17&digest=ABC", "'digest': value does not match"),
        ("/dynamic_chunk?wid=0&size=5&encoded-size=17&digest={}", "'wid': value must have a minimum value of 1"),
        ("/dynamic_chunk?wid=1&size=0&encoded-size=17&digest={}", "'size': value must have a minimum value of 1"),
        ("/dynamic_chunk?wid=1&size=16777217&encoded-size=17&digest={}", "'size': value must have a maximum value"),
        ("/dynamic_chunk?wid=1&size=5&encoded-size=12&digest={}", "'encoded-size': value must have a minimum value"),
        ("/dynamic_chunk?wid=1&size=5&encoded-size=16777261&digest={}", "'encoded-size': value must have a maximum"),
        ("/dynamic_chunk?wid=1&size=5&encoded-size=17&digest={}&x=1", "'x': schema does not allow additional"),
        ("/dynamic_chunk?wid=1&wid=1&size=5&encoded-size=17&digest={}", "'wid': duplicate parameter."),
    ],
)
def test_parameters_are_strict(site: Site, target: str, text: str) -> None:
    session = Recorder()
    client = site.open_backup(session)
    answer = client.call("POST", target.format("a" * 64), b"")
    assert answer.status == 400
    assert text in answer.body.decode()
    assert [failure[:3] for failure in session.failures] == [("POST", target.partition("?")[0], 400)]
    assert session.failures[0][3] == answer.body.decode()


def test_refuses_chunks_that_are_not_what_they_say(site: Site) -> None:
    chunks, session = BackupChunks(site.store), Recorder()
    client = site.open_backup(session, chunks)
    chunks.create_fixed(site.directory / "disk.img.fidx", None)
    data = b"some data"
    blob = seal_blob(data)
    target = upload_target(data, blob)
    longer, shorter = client.call("POST", target, blob + b"x"), client.call("POST", target, blob[:-1])
    assert longer.body.startswith(b"upload has more than 21 bytes")
    assert shorter.body.startswith(b"upload has 20 bytes")
    wrong_digest = client.call("POST", upload_target(data, blob, digest="ab" * 32), blob)
    assert wrong_digest.body.startswith(b"wrong digest")
    wrong_size = client.call("POST", target.replace("size=9&", "size=8&"), blob)
    assert wrong_size.status == 400
    noise = client.call("POST", upload_target(data, blob), bytes(21))
    assert b"magic" in noise.body
    bomb = seal_blob(bytes(16 << 20))
    expanding = client.call("POST", upload_target(b"small", bomb), bomb)
    assert expanding.status == 400
    unregistered = client.call("POST", upload_target(data, blob, wid=2), blob)
    assert unregistered.body == b"fixed writer '2' not registered"
    assert {answer.status for answer in (longer, shorter, wrong_digest, noise, unregistered)} == {400}
    assert len(session.failures) == 7
    assert upload(client, data)[0] == 200, "failed calls must not end the session"


def test_corrects_the_crc_and_takes_encrypted_chunks(site: Site) -> None:
    chunks = BackupChunks(site.store)
    client = site.open_backup(Recorder(), chunks)
    chunks.create_dynamic(site.directory / "root.pxar.didx")
    key, data = CryptKey(os.urandom(32)), os.urandom(5000)
    sealed = seal_blob(data, key=key)
    digest = chunk_digest(data, key)
    without_crc = sealed[:8] + bytes(4) + sealed[12:]
    target = upload_target(data, sealed, kind="dynamic", digest=digest.hex())
    assert client.call("POST", target, without_crc).status == 200
    assert site.store.read(digest) == sealed
    chunks.append("dynamic", 1, [digest.hex()], [0])


def test_uploads_of_many_streams_at_once(site: Site) -> None:
    chunks = BackupChunks(site.store)
    client = site.open_backup(Recorder(), chunks)
    chunks.create_fixed(site.directory / "disk.img.fidx", None)
    streams = []
    for number in range(64):
        data = number.to_bytes(4, "big") * (1 << 20)
        blob = seal_blob(data, compress=number % 2 == 0)
        stream = client.start("POST", upload_target(data, blob))
        client.send(stream, blob, end=True)
        streams.append(stream)
    assert [client.wait(stream).status for stream in streams] == [200] * 64


def test_interleaved_uploads_beyond_the_memory_budget_do_not_hang(site: Site) -> None:
    """A client that sends all bodies a piece at a time needs more memory than there is; every upload still ends."""
    chunks = BackupChunks(site.store)
    client = site.open_backup(Recorder(), chunks)
    chunks.create_fixed(site.directory / "disk.img.fidx", None)
    bodies = {}
    for _ in range(24):
        data = os.urandom(4 << 20)
        blob = seal_blob(data)
        bodies[client.start("POST", upload_target(data, blob))] = blob
    for start in range(0, (4 << 20) + 12, 1 << 20):
        for stream, blob in bodies.items():
            end = start + (1 << 20)
            client.send(stream, blob[start:end], end=end >= len(blob))
    assert [client.wait(stream).status for stream in bodies] == [200] * 24


def test_speedtest_takes_everything_and_keeps_nothing(site: Site) -> None:
    client = site.open_backup(Recorder())
    for _ in range(3):
        answer = client.call("POST", "/speedtest", bytes(20 << 20))
        assert (answer.status, bytes(answer.body)) == (200, b'{"data":null}')
    assert client.call("POST", "/speedtest?x=1", b"").status == 400


def test_parameter_bodies_are_bounded(site: Site) -> None:
    session = Recorder()
    client = site.open_backup(session)
    assert client.call("PUT", "/fixed_index", bytes(512 << 10)).status == 200
    answer = client.call("PUT", "/fixed_index", bytes((512 << 10) + 1))
    assert (answer.status, len(session.calls)) == (400, 1)
    assert client.call("GET", "/.hidden").status == 400


def test_an_exception_in_the_session_is_a_500(site: Site) -> None:
    def script(*call: object) -> tuple[int, list[tuple[str, str]], bytes]:
        raise RuntimeError("inner")

    session = Recorder(script)
    client = site.open_backup(session)
    answer = client.call("POST", "/finish", b"")
    assert (answer.status, bytes(answer.body)) == (500, b"internal server error")
    session.script = None
    assert client.call("POST", "/finish", b"").status == 200


def test_a_session_that_is_shut_takes_no_chunks(site: Site) -> None:
    chunks = BackupChunks(site.store)
    client = site.open_backup(Recorder(), chunks)
    chunks.create_fixed(site.directory / "disk.img.fidx", None)
    chunks.shut()
    data = os.urandom(100)
    assert upload(client, data) == (400, b"backup already finished or aborted")
    assert not site.store.contains(hashlib.sha256(data).digest())


def test_the_end_is_told_once_when_nothing_runs_any_more(site: Site) -> None:
    is_running, release = threading.Event(), threading.Event()
    order: list[str] = []

    def script(*call: object) -> tuple[int, list[tuple[str, str]], bytes]:
        is_running.set()
        release.wait(20)
        order.append("handled")
        return 200, [], b""

    session = Recorder(script)
    client = site.open_backup(session)
    client.start("POST", "/finish", end=True)
    assert is_running.wait(10)
    client.close()
    time.sleep(0.3)
    assert not session.reasons, "told of the end while a call was running"
    release.set()
    assert session.wait() == "connection closed with 1 unfinished calls"
    assert order == ["handled"]
    assert len(session.reasons) == 1


def test_a_broken_upload_ends_the_session(site: Site) -> None:
    chunks, session = BackupChunks(site.store), Recorder()
    client = site.open_backup(session, chunks)
    chunks.create_fixed(site.directory / "disk.img.fidx", None)
    data = os.urandom(1 << 20)
    blob = seal_blob(data)
    client.send(client.start("POST", upload_target(data, blob)), blob[:1000], end=False)
    assert client.call("GET", "/").status == 200, "the server has seen the upload begin"
    client.close()
    assert session.wait() == "connection closed with 1 unfinished calls"
    assert not site.store.contains(hashlib.sha256(data).digest())


def test_abort_breaks_the_connection(site: Site) -> None:
    session, grants = Recorder(), []
    client = site.client()

    def grant(request: object) -> SessionGrant:
        grants.append(SessionGrant(BACKUP, BackupChunks(site.store), session))
        return grants[0]

    site.application.grant = grant
    answer = client.request("GET", "/api2/json/backup", {"connection": "Upgrade", "upgrade": BACKUP})
    assert answer.status == 101
    upgraded = Http2Client(client.socket, early=client.rest())
    assert upgraded.call("GET", "/").status == 200
    grants[0].abort("abort by user")
    assert session.wait() == "abort by user"
    with pytest.raises((EOFError, ConnectionError)):
        upgraded.call("GET", "/")


def test_shutdown_breaks_sessions_after_the_grace(site: Site) -> None:
    session = Recorder()
    client = site.open_backup(session)
    assert client.call("GET", "/").status == 200
    site.front.shutdown(0.2)
    assert session.reasons == ["server is shutting down"]


@pytest.mark.parametrize(
    "headers",
    [{}, {"connection": "upgrade"}, {"connection": "upgrade", "upgrade": "websocket"}, {"upgrade": BACKUP}],
    ids=["none", "no token", "other token", "no connection"],
)
def test_a_grant_without_upgrade_is_taken_back(site: Site, headers: dict[str, str]) -> None:
    session = Recorder()
    site.application.grant = lambda request: SessionGrant(BACKUP, BackupChunks(site.store), session)
    with site.client() as client:
        answer = client.request("GET", "/api2/json/backup", headers)
        assert (answer.status, session.wait()) == (400, "no upgrade request")
        assert client.request("GET", "/").status == 200


def test_a_refused_upgrade_keeps_the_connection(site: Site) -> None:
    with site.client() as client:
        answer = client.request("GET", "/api2/json/reader", {"connection": "upgrade", "upgrade": BACKUP})
        assert (answer.status, answer.body) == (401, b"no")
        assert client.request("GET", "/").body == b"ok"


def test_a_client_that_leaves_during_authorize_ends_the_session(site: Site) -> None:
    session, asked, release = Recorder(), threading.Event(), threading.Event()

    def grant(request: object) -> SessionGrant:
        asked.set()
        release.wait(20)
        return SessionGrant(BACKUP, BackupChunks(site.store), session)

    site.application.grant = grant
    with site.client() as client:
        client.send(f"GET /api2/json/backup HTTP/1.1\r\nConnection: upgrade\r\nUpgrade: {BACKUP}\r\n\r\n".encode())
        assert asked.wait(10)
    time.sleep(0.2)
    release.set()
    reason = session.wait()
    assert reason is not None
    assert "connection lost" in reason
    assert len(session.reasons) == 1


@pytest.mark.parametrize("data", [b"GET / HTTP/1.1\r\n\r\n", os.urandom(200), b""], ids=["http1", "noise", "nothing"])
def test_what_is_no_http2_ends_the_session(site: Site, data: bytes) -> None:
    session = Recorder()
    site.application.grant = lambda request: SessionGrant(BACKUP, BackupChunks(site.store), session)
    with site.client() as client:
        headers = {"connection": "upgrade", "upgrade": BACKUP}
        assert client.request("GET", "/api2/json/backup", headers).status == 101
        client.send(data) if data else None
    assert session.wait()
    assert len(session.reasons) == 1


def test_survives_a_storm_of_resets(site: Site) -> None:
    """The server keeps pace or breaks the connection; either way the session ends and others go on."""
    session = Recorder()
    client = site.open_backup(session)
    with contextlib.suppress(OSError):
        for _ in range(5000):
            client.reset(client.start("POST", "/speedtest"))
    client.close()
    session.wait()
    assert len(session.reasons) == 1
    assert site.open_backup(Recorder()).call("GET", "/").status == 200


def test_header_lists_are_bounded(site: Site) -> None:
    session = Recorder()
    client = site.open_backup(session)
    answer = client.call("GET", "/x?" + "a" * 100_000)
    assert answer.status == 431 or answer.reset is not None
    assert not session.calls


def test_grants_are_good_for_one_connection(site: Site, tmp_path: Path) -> None:
    session = Recorder()
    grant = SessionGrant(BACKUP, BackupChunks(site.store), session)
    site.application.grant = lambda request: grant
    headers = {"connection": "upgrade", "upgrade": BACKUP}
    with site.client() as first, site.client() as second:
        assert first.request("GET", "/api2/json/backup", headers).status == 101
        assert second.request("GET", "/api2/json/backup", headers).status == 500


def test_there_are_no_more_sessions_than_windows(site: Site) -> None:
    sessions = [Recorder() for _ in range(87)]
    clients = [site.open_backup(session) for session in sessions]
    headers = {"connection": "upgrade", "upgrade": BACKUP}
    with site.client() as client:
        assert client.request("GET", "/api2/json/backup", headers).status == 503
    assert clients[0].call("GET", "/").status == 200
    clients[0].close()
    assert sessions[0].wait() is None
    site.open_backup(Recorder())
