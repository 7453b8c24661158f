"""Calls of a backup session that lie: each gets one line and the right status, and the session goes on."""

import hashlib
import json
import os
from collections.abc import Iterator
from urllib.parse import quote

import pytest
import zstandard

from hostile.hostile_site import HostileSite
from http2_client import Http2Client, StreamAnswer
from pbstore._core import CryptKey, seal_blob

pytestmark = pytest.mark.slow

UNCOMPRESSED = bytes.fromhex("42ab3807be8370a1")
COMPRESSED = seal_blob(bytes(1 << 20))[:8]
ENCRYPTED = seal_blob(b"x", key=CryptKey(bytes(32)))[:8]
MIB = 1 << 20


@pytest.fixture
def client(site: HostileSite) -> Iterator[Http2Client]:
    """A session with a dynamic index (1) and a fixed one (2); behind the test it still takes calls."""
    made = site.backup()
    assert post(made, "dynamic_index", {"archive-name": "a.didx"}).body == b'{"data":1}'
    assert post(made, "fixed_index", {"archive-name": "b.fidx", "size": 4 * MIB}).body == b'{"data":2}'
    yield made
    assert made.call("GET", "/previous_backup_time").status == 200


def post(client: Http2Client, path: str, parameters: object, *, method: str = "POST") -> StreamAnswer:
    """Call with a JSON body."""
    return client.call(method, f"/{path}", json.dumps(parameters).encode(), content_type="application/json")


def upload(client: Http2Client, blob: bytes, *, digest: str, size: int, kind: str = "dynamic") -> StreamAnswer:
    """Upload a chunk with what is said of it."""
    wid = 1 if kind == "dynamic" else 2
    target = f"/{kind}_chunk?wid={wid}&digest={digest}&size={size}&encoded-size={len(blob)}"
    return client.call("POST", target, blob)


def known_chunk(client: Http2Client, data: bytes = b"known") -> str:
    """Upload something that is right; its digest."""
    digest = hashlib.sha256(data).hexdigest()
    assert upload(client, seal_blob(data), digest=digest, size=len(data)).status == 200
    return digest


def refused(answer: StreamAnswer, status: int = 400) -> str:
    """The one line of a refused call."""
    assert answer.status == status, (answer.status, bytes(answer.body[:200]))
    text = answer.body.decode()
    assert text, "a refusal has a reason"
    assert len(text) < 4096
    if not text.startswith("parameter verification failed:\n"):
        assert "\n" not in text.strip(), text
    return text


def zeros_digest(size: int) -> str:
    """Digest of that many zeros."""
    return hashlib.sha256(bytes(size)).hexdigest()


def frame_of(data: bytes, **options: object) -> bytes:
    """A zstd frame in a blob."""
    return COMPRESSED + bytes(4) + zstandard.ZstdCompressor(**options).compress(data)  # type: ignore[arg-type]


def test_the_bombs_would_be_taken_if_they_were_honest(client: Http2Client) -> None:
    assert upload(client, frame_of(bytes(5 * MIB)), digest=zeros_digest(5 * MIB), size=5 * MIB).status == 200


@pytest.mark.parametrize("size", [1, 4096, 4 * MIB, 16 * MIB])
def test_zeros_that_are_more_than_they_say(client: Http2Client, size: int) -> None:
    bomb = frame_of(bytes(512 * MIB if size == 1 else 64 * MIB))
    refused(upload(client, bomb, digest=zeros_digest(size), size=size))


def test_a_frame_that_says_it_is_small(client: Http2Client) -> None:
    bomb = bytearray(frame_of(bytes(64 * MIB), write_content_size=True))
    descriptor = bomb[16]
    assert descriptor & 0xC0 == 0x80, "a content size of four bytes"
    place = 17 if descriptor & 0x20 else 18
    bomb[place : place + 4] = (9).to_bytes(4, "little")
    refused(upload(client, bytes(bomb), digest=zeros_digest(9), size=9))


def test_a_frame_that_wants_a_window_of_gigabytes(client: Http2Client) -> None:
    raw = b"\x28\xb5\x2f\xfd" + b"\x00" + b"\xff" + b"\x01\x00\x00"  # window descriptor 0xff, one empty last block
    refused(upload(client, COMPRESSED + bytes(4) + raw, digest=zeros_digest(1), size=1))


def test_frames_behind_frames(client: Http2Client) -> None:
    bomb = COMPRESSED + bytes(4) + zstandard.ZstdCompressor().compress(bytes(MIB)) * 60
    refused(upload(client, bomb, digest=zeros_digest(MIB), size=MIB))


@pytest.mark.parametrize("kind", ["fixed", "dynamic"])
@pytest.mark.parametrize(
    ("blob", "size", "text"),
    [
        (seal_blob(b"data"), 5, ""),
        (seal_blob(b"data"), 3, ""),
        (seal_blob(b"other data"), 10, "digest"),
        (UNCOMPRESSED + bytes(4) + b"", 1, ""),
        (b"\0" * 100, 88, "magic"),
        (ENCRYPTED + bytes(20), 1, ""),
        (COMPRESSED + bytes(4) + b"no zstd at all", 4, ""),
        (COMPRESSED + bytes(4) + b"\x28\xb5\x2f\xfd", 4, ""),
    ],
)
def test_chunks_that_are_something_else(client: Http2Client, kind: str, blob: bytes, size: int, text: str) -> None:
    answer = upload(client, blob, digest=hashlib.sha256(b"data").hexdigest(), size=size, kind=kind)
    assert text in refused(answer)


def test_a_wrong_crc_of_a_chunk_is_made_right_and_that_of_a_blob_refused(client: Http2Client) -> None:
    blob = bytearray(seal_blob(b"data"))
    blob[8] ^= 1
    assert upload(client, bytes(blob), digest=hashlib.sha256(b"data").hexdigest(), size=4).status == 200
    target = f"/blob?file-name=x.blob&encoded-size={len(blob)}"
    refused(client.call("POST", target, bytes(blob)))


@pytest.mark.parametrize(
    "query",
    [
        "size=0",
        "size=16777217",
        "size=-1",
        "size=99999999999999999999999",
        "size=0x10",
        "size=1e3",
        "encoded-size=16777261",
        "encoded-size=0",
        "encoded-size=18446744073709551616",
        "wid=0",
        "wid=257",
        "wid=4294967297",
        "digest=zz",
        "digest=" + "AB" * 32,
        "digest=" + "ab" * 32 + "00",
        "digest=..%2f..%2fetc%2fpasswd",
        "size=4&size=4",
        "%00=1",
        "x=" + "y" * 3000,
    ],
)
def test_parameters_that_lie(client: Http2Client, query: str) -> None:
    values = {"wid": "1", "digest": "ab" * 32, "size": "4", "encoded-size": "16"}
    name = query.partition("=")[0]
    rest = "&".join(f"{key}={value}" for key, value in values.items() if key != name)
    refused(client.call("POST", f"/dynamic_chunk?{rest}&{query}", bytes(16)))


@pytest.mark.parametrize("bytes_sent", [0, 1, 15, 17, 100_000])
def test_bodies_that_are_not_as_long_as_they_say(client: Http2Client, bytes_sent: int) -> None:
    digest = "ab" * 32
    target = f"/dynamic_chunk?wid=1&digest={digest}&size=4&encoded-size=16"
    assert "encoded-size says 16" in refused(client.call("POST", target, os.urandom(bytes_sent)))
    refused(client.call("POST", "/blob?file-name=x.blob&encoded-size=16", seal_blob(os.urandom(bytes_sent + 20))))


def test_chunks_that_are_too_large_for_an_image(client: Http2Client) -> None:
    data = os.urandom(5 * MIB)
    answer = upload(client, seal_blob(data), digest=hashlib.sha256(data).hexdigest(), size=len(data), kind="fixed")
    refused(answer)


@pytest.mark.parametrize(
    "name",
    [
        "../../../etc/passwd.blob",
        "..",
        "a/b.blob",
        "/etc/x.blob",
        ".hidden.blob",
        "a\0b.blob",
        "a\nb.blob",
        "x" * 300 + ".blob",
        "x" * 60_000 + ".blob",
        "",
        ".blob",
        "ä.blob",
        "%2e%2e%2fx.blob",
        "index.json.tmp_upload",
    ],
)
def test_names_that_are_none(client: Http2Client, name: str) -> None:
    blob = seal_blob(b"data")
    if len(name) < 40_000:
        refused(client.call("POST", f"/blob?file-name={quote(name, safe='')}&encoded-size={len(blob)}", blob))
    for kind, suffix in (("dynamic_index", ".didx"), ("fixed_index", ".fidx")):
        other = name.replace(".blob", suffix)
        refused(post(client, kind, {"archive-name": other, **({"size": 1} if kind == "fixed_index" else {})}))
    refused(client.call("GET", f"/previous?archive-name={quote(name[:20_000], safe='')}"))


@pytest.mark.parametrize(
    ("offsets", "text"),
    [
        ([0, 0], "unexpected offset"),
        ([0, 4], "unexpected offset"),
        ([5, 0], "unexpected offset"),
        ([2**63 - 1], "unexpected offset"),
        ([2**63], "maximum"),
        ([2**64], "maximum"),
        ([-1], "minimum"),
        ([True], "expected an integer"),
        ([1.5], "expected an integer"),
        (["0x0"], "invalid digit"),
        ([None], "expected an integer"),
        ([[0]], "expected an integer"),
    ],
)
def test_offsets_that_lie(client: Http2Client, offsets: list[object], text: str) -> None:
    digest = known_chunk(client)
    lists = {"wid": 1, "digest-list": [digest] * len(offsets), "offset-list": offsets}
    assert text in refused(post(client, "dynamic_index", lists, method="PUT"))


@pytest.mark.parametrize("offset", [1, 4 * MIB, 2**62, 2**63 - 1])
def test_offsets_outside_an_image(client: Http2Client, offset: int) -> None:
    digest = known_chunk(client)
    refused(post(client, "fixed_index", {"wid": 2, "digest-list": [digest], "offset-list": [offset]}, method="PUT"))


def test_an_image_that_grows_to_the_end_of_all_numbers(client: Http2Client) -> None:
    assert post(client, "fixed_index", {"archive-name": "grows.fidx"}).status == 200
    digest = known_chunk(client)
    lists = {"wid": 3, "digest-list": [digest], "offset-list": [(2**63 - 1) // (4 * MIB) * (4 * MIB)]}
    answer = post(client, "fixed_index", lists, method="PUT")
    assert answer.status in (200, 400)
    close = {"wid": 3, "chunk-count": 1, "size": 2**63 - 1, "csum": "ab" * 32}
    refused(post(client, "fixed_close", close))
    refused(post(client, "fixed_index", {"archive-name": "z.fidx", "size": 0}))


def test_lists_of_different_or_absurd_length(client: Http2Client) -> None:
    digest = known_chunk(client)
    assert "wrong length" in refused(
        post(client, "dynamic_index", {"wid": 1, "digest-list": [digest], "offset-list": [0, 1]}, method="PUT")
    )
    many = {"wid": 1, "digest-list": [], "offset-list": [0] * 70_000}
    assert "65536" in refused(post(client, "dynamic_index", many, method="PUT"))
    body = b'{"wid":1,"digest-list":[' + b'"x",' * 1_000_000 + b'"x"],"offset-list":[]}'
    answer = client.call("PUT", "/dynamic_index", body, content_type="application/json")
    assert "larger than 524288" in refused(answer)


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 100_000,
        b'{"a":' * 50_000,
        b'{"wid":' + b"9" * 100_000 + b"}",
        b'{"wid":1,"wid":2}',
        b'{"wid":NaN}',
        b'{"wid":1e999}',
        b'{"\\ud800":1}',
        b"\xff\xfe\x00",
        b"null",
        b'"text"',
        b"{",
    ],
    ids=lambda body: repr(body[:12]),
)
def test_bodies_that_are_no_parameters(client: Http2Client, body: bytes) -> None:
    refused(client.call("PUT", "/dynamic_index", body, content_type="application/json"))


def test_writers_that_do_not_exist(client: Http2Client) -> None:
    digest = known_chunk(client)
    lists = {"digest-list": [digest], "offset-list": [0]}
    assert "not registered" in refused(post(client, "dynamic_index", {"wid": 9, **lists}, method="PUT"))
    assert "not registered" in refused(post(client, "dynamic_index", {"wid": 2, **lists}, method="PUT"))
    assert "not registered" in refused(post(client, "fixed_index", {"wid": 1, **lists}, method="PUT"))
    close = {"wid": 9, "chunk-count": 1, "size": 5, "csum": "ab" * 32}
    assert "not registered" in refused(post(client, "dynamic_close", close))


def test_chunks_that_nobody_uploaded(client: Http2Client) -> None:
    absent = {"wid": 1, "digest-list": ["ab" * 32], "offset-list": [0]}
    assert "no such chunk" in refused(post(client, "dynamic_index", absent, method="PUT"))


def test_a_chunk_of_another_session_is_not_known(site: HostileSite, client: Http2Client) -> None:
    digest = known_chunk(client, b"of the first session")
    other = site.backup()
    assert post(other, "dynamic_index", {"archive-name": "a.didx"}).status == 200
    answer = post(other, "dynamic_index", {"wid": 1, "digest-list": [digest], "offset-list": [0]}, method="PUT")
    assert "no such chunk" in refused(answer)


@pytest.mark.parametrize(
    "lie", [{"chunk-count": 2}, {"size": 6}, {"csum": "cd" * 32}, {"chunk-count": 2**63 - 1}, {"size": 2**63 - 1}]
)
def test_a_close_that_lies_and_can_be_repeated(client: Http2Client, lie: dict[str, object]) -> None:
    digest = known_chunk(client)
    lists = {"wid": 1, "digest-list": [digest], "offset-list": [0]}
    assert post(client, "dynamic_index", lists, method="PUT").status == 200
    csum = hashlib.sha256((5).to_bytes(8, "little") + bytes.fromhex(digest)).hexdigest()
    truth = {"wid": 1, "chunk-count": 1, "size": 5, "csum": csum}
    refused(post(client, "dynamic_close", {**truth, **lie}))
    assert post(client, "dynamic_close", truth).status == 200
    refused(post(client, "dynamic_close", truth))


def test_a_finish_with_open_writers_and_one_with_nothing(site: HostileSite, client: Http2Client) -> None:
    assert "open index writer" in refused(client.call("POST", "/finish"))
    refused(site.backup().call("POST", "/finish"))


def test_a_finish_with_a_manifest_that_is_none(site: HostileSite) -> None:
    for content in (b"", b"no json", b"[]", b"{}", b"[" * 100_000, b'{"backup-type":"../.."}'):
        client = site.backup()
        blob = seal_blob(content) if content else seal_blob(b" ")
        target = f"/blob?file-name=index.json.blob&encoded-size={len(blob)}"
        assert client.call("POST", target, blob).status == 200
        refused(client.call("POST", "/finish"))
        client.close()


def test_a_name_that_is_taken(client: Http2Client) -> None:
    assert "open already" in refused(post(client, "dynamic_index", {"archive-name": "a.didx"}))


def test_more_indexes_than_there_are_numbers(site: HostileSite) -> None:
    client = site.backup()
    for number in range(256):
        assert post(client, "dynamic_index", {"archive-name": f"a{number}.didx"}).status == 200
    assert "256" in refused(post(client, "dynamic_index", {"archive-name": "more.didx"}))


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nothing", 404),
        ("DELETE", "/finish", 404),
        ("GET", "/finish", 404),
        ("BREW", "/", 404),
        ("GET", "/../../etc/passwd", 400),
        ("GET", "/%2e%2e/x", 400),
        ("GET", "/x%00y", 404),
        ("POST", "/" + "a" * 30_000, 414),
    ],
)
def test_calls_that_do_not_exist(client: Http2Client, method: str, path: str, status: int) -> None:
    refused(client.call(method, path), status)


def test_a_get_with_a_body(client: Http2Client) -> None:
    assert client.call("GET", "/previous_backup_time", bytes(100)).status in (200, 400)
    refused(client.call("GET", "/previous_backup_time", bytes(600_000)))


def test_a_task_log_takes_no_lines_of_clients(site: HostileSite) -> None:
    client = site.backup()
    client.call("GET", "/x?a=%0aTASK%20OK")
    client.call("POST", "/blob?file-name=x%0a2030-01-01T00:00:00%2b00:00:%20TASK%20OK&encoded-size=12", bytes(12))
    for _ in range(1100):
        client.call("GET", "/" + "y" * 2000)
    client.close()
    (log,) = [text for text in site.server.task_logs("backup") if "yyyy" in text]
    assert "\nTASK OK" not in log
    assert len(log.splitlines()) < 1100
    assert max(map(len, log.splitlines())) < 5000
