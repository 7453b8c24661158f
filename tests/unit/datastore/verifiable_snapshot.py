"""Makes snapshots whose every byte can be verified: an image of some chunks, and a blob."""

import hashlib
from pathlib import Path

from pbstore import _core
from pbstore.datastore.datastore import Datastore
from pbstore.datastore.groups import open_group
from pbstore.datastore.snapshots import UNFINISHED_NAME, create_snapshot
from pbstore.format.manifest import Manifest
from pbstore.model.auth_id import AuthId
from pbstore.model.backup import Snapshot
from pbstore.model.crypt_mode import CryptMode
from pbstore.model.namespace import Namespace
from unit.datastore.snapshot_factory import JOHN, ROOT

CHUNK_BYTES = 4096


def chunk_path(datastore: Datastore, data: bytes) -> Path:
    """Where the chunk of some data lies; its directory is made."""
    name = _core.chunk_digest(data).hex()
    path = datastore.path / ".chunks" / name[:4] / name
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def make_verifiable(
    datastore: Datastore,
    text: str,
    chunks: tuple[bytes, ...] = (b"a", b"b"),
    *,
    namespace: Namespace = ROOT,
    owner: AuthId = JOHN,
) -> Snapshot:
    """Make `type/id/time` with an image of chunks that repeat the given bytes, and `vm.conf.blob`."""
    snapshot = Snapshot.parse(text)
    contents = [chunk * (CHUNK_BYTES // len(chunk)) for chunk in chunks]
    for content in contents:
        chunk_path(datastore, content).write_bytes(_core.seal_blob(content))
    digests = [_core.chunk_digest(content) for content in contents]
    size = CHUNK_BYTES * len(chunks)
    index = _core.FixedIndex.encode(digests, size, uuid=bytes(16), ctime=0, chunk_size=CHUNK_BYTES)
    blob = _core.seal_blob(b"memory: 512")
    manifest = Manifest(snapshot)
    manifest.add("disk.img.fidx", CryptMode.NONE, size, hashlib.sha256(b"".join(digests)).digest())
    manifest.add("vm.conf.blob", CryptMode.NONE, len(blob), hashlib.sha256(blob).digest())
    _, group_lock = open_group(datastore, namespace, snapshot.group, owner)
    with group_lock, create_snapshot(datastore, namespace, snapshot):
        path = datastore.snapshot_path(namespace, snapshot)
        (path / "disk.img.fidx").write_bytes(index)
        (path / "vm.conf.blob").write_bytes(blob)
        (path / "index.json.blob").write_bytes(_core.seal_blob(manifest.encode()))
        (path / UNFINISHED_NAME).unlink()
    return snapshot
