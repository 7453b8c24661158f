"""A backup and a restore over the wire, spelled out call by call on real TLS and HTTP/2."""

import hashlib
import json
from urllib.parse import urlencode

from http1_client import Http1Client
from http2_client import Http2Client
from pbstore._core import seal_blob
from pbstore.format.manifest import Manifest
from pbstore.model.backup import Snapshot
from pbstore.model.crypt_mode import CryptMode
from running_server import RunningServer

CHUNK_BYTES = 4 << 20
PROTOCOLS = {"backup": "proxmox-backup-protocol-v1", "reader": "proxmox-backup-reader-protocol-v1"}


def open_session(server: RunningServer, kind: str, snapshot: Snapshot, login: dict[str, str]) -> Http2Client:
    """Upgrade as the original client does, doubled slash and all."""
    parameters = {
        "store": "main",
        "backup-type": snapshot.group.backup_type.value,
        "backup-id": snapshot.group.backup_id,
        "backup-time": snapshot.backup_time,
        "debug": "true",
    }
    client = Http1Client(("127.0.0.1", server.port))
    headers = {**login, "connection": "upgrade", "upgrade": PROTOCOLS[kind]}
    answer = client.request("GET", f"//api2/json/{kind}?{urlencode(parameters)}", headers)
    assert answer.status == 101, answer
    return Http2Client(client.socket, early=client.rest())


def call(session: Http2Client, method: str, path: str, **parameters: object) -> object:
    """Make a call with JSON parameters; `data` of its answer."""
    wire = {name.replace("_", "-"): value for name, value in parameters.items()}
    answer = session.call(method, f"/{path}", json.dumps(wire).encode(), content_type="application/json")
    assert answer.status == 200, bytes(answer.body)
    return json.loads(bytes(answer.body))["data"]


def upload_chunk(session: Http2Client, wid: object, data: bytes) -> str:
    """Upload one chunk of a fixed index; its digest."""
    digest, blob = hashlib.sha256(data).hexdigest(), seal_blob(data)
    query = f"wid={wid}&digest={digest}&size={len(data)}&encoded-size={len(blob)}"
    answer = session.call("POST", f"/fixed_chunk?{query}", blob, content_type="application/octet-stream")
    assert answer.status == 200, bytes(answer.body)
    return digest


def upload_image(session: Http2Client, chunks: list[bytes]) -> bytes:
    """Upload `disk.img.fidx`; its checksum."""
    size = sum(map(len, chunks))
    wid = call(session, "POST", "fixed_index", archive_name="disk.img.fidx", size=size)
    digests = [upload_chunk(session, wid, data) for data in chunks]
    offsets = [number * CHUNK_BYTES for number in range(len(chunks))]
    call(session, "PUT", "fixed_index", wid=wid, digest_list=digests, offset_list=offsets)
    csum = hashlib.sha256(b"".join(bytes.fromhex(digest) for digest in digests)).digest()
    call(session, "POST", "fixed_close", wid=wid, chunk_count=len(chunks), size=size, csum=csum.hex())
    return csum


def upload_manifest(session: Http2Client, snapshot: Snapshot, size: int, csum: bytes) -> None:
    """Upload a manifest of the image."""
    manifest = Manifest(snapshot)
    manifest.add("disk.img.fidx", CryptMode.NONE, size, csum)
    blob = seal_blob(manifest.encode())
    target = f"/blob?file-name=index.json.blob&encoded-size={len(blob)}"
    assert session.call("POST", target, blob, content_type="application/octet-stream").status == 200


def back_up(session: Http2Client, snapshot: Snapshot, chunks: list[bytes]) -> None:
    """A whole backup, up to the answer to `finish`."""
    csum = upload_image(session, chunks)
    upload_manifest(session, snapshot, sum(map(len, chunks)), csum)
    assert call(session, "POST", "finish") is None
