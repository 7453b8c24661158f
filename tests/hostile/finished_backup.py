"""A backup of noise by hand, which a hostile reader may then read."""

import hashlib
import json
import os
import time

from hostile.hostile_site import HostileSite
from pbstore._core import seal_blob
from pbstore.format.manifest import Manifest
from pbstore.model.backup import BackupGroup, BackupType, Snapshot
from pbstore.model.crypt_mode import CryptMode

CHUNK_BYTES = 4 << 20


def finished_backup(site: HostileSite, *, chunks: int = 2) -> str:
    """Make a backup of a group of its own: an image, a blob of 8 MiB and a manifest. The group's name."""
    name = site.unused_name()
    stamp = int(time.time())
    client = site.backup(name)
    size = chunks * CHUNK_BYTES
    body = json.dumps({"archive-name": "disk.img.fidx", "size": size}).encode()
    assert client.call("POST", "/fixed_index", body, content_type="application/json").status == 200
    digests = []
    for _ in range(chunks):
        data = os.urandom(CHUNK_BYTES)
        digests.append(hashlib.sha256(data))
        blob = seal_blob(data)
        target = f"/fixed_chunk?wid=1&digest={digests[-1].hexdigest()}&size={CHUNK_BYTES}&encoded-size={len(blob)}"
        answer = client.call("POST", target, blob)
        assert answer.status == 200, answer
    lists = {
        "wid": 1,
        "digest-list": [digest.hexdigest() for digest in digests],
        "offset-list": list(range(0, size, CHUNK_BYTES)),
    }
    put = client.call("PUT", "/fixed_index", json.dumps(lists).encode(), content_type="application/json")
    assert put.status == 200, put
    csum = hashlib.sha256(b"".join(digest.digest() for digest in digests))
    close = {"wid": 1, "chunk-count": chunks, "size": size, "csum": csum.hexdigest()}
    closed = client.call("POST", "/fixed_close", json.dumps(close).encode(), content_type="application/json")
    assert closed.status == 200, closed
    large = seal_blob(os.urandom(8 << 20))
    manifest = Manifest(Snapshot(BackupGroup(BackupType.HOST, name), stamp))
    manifest.add("disk.img.fidx", CryptMode.NONE, size, csum.digest())
    manifest.add("large.blob", CryptMode.NONE, len(large), hashlib.sha256(large).digest())
    for file_name, blob in (("large.blob", large), ("index.json.blob", seal_blob(manifest.encode()))):
        stored = client.call("POST", f"/blob?file-name={file_name}&encoded-size={len(blob)}", blob)
        assert stored.status == 200, stored
    assert client.call("POST", "/finish").status == 200
    client.close()
    return name
