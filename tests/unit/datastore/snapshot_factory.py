"""Makes snapshots as a session would."""

import hashlib

from pbstore import _core
from pbstore.datastore.datastore import Datastore
from pbstore.datastore.groups import open_group
from pbstore.datastore.snapshots import UNFINISHED_NAME, create_snapshot
from pbstore.format.manifest import Manifest
from pbstore.model.auth_id import AuthId
from pbstore.model.backup import Snapshot
from pbstore.model.crypt_mode import CryptMode
from pbstore.model.namespace import Namespace

ROOT = Namespace()
JOHN = AuthId.parse("john@pbs")


def make_snapshot(
    datastore: Datastore, text: str, *, namespace: Namespace = ROOT, finished: bool = True, owner: AuthId = JOHN
) -> Snapshot:
    """Make `type/id/time` with one blob, by default finished."""
    snapshot = Snapshot.parse(text)
    _, group_lock = open_group(datastore, namespace, snapshot.group, owner)
    with group_lock, create_snapshot(datastore, namespace, snapshot):
        path = datastore.snapshot_path(namespace, snapshot)
        blob = _core.seal_blob(b"content")
        (path / "vm.conf.blob").write_bytes(blob)
        if finished:
            manifest = Manifest(snapshot)
            manifest.add("vm.conf.blob", CryptMode.NONE, len(blob), hashlib.sha256(blob).digest())
            (path / "index.json.blob").write_bytes(_core.seal_blob(manifest.encode()))
            (path / UNFINISHED_NAME).unlink()
    return snapshot
