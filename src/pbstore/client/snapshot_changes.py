"""What a user does to snapshots on a server besides making and restoring them (rest-api.md 5)."""

from pathlib import Path

from pbstore import _core
from pbstore.client.keys import Keys
from pbstore.client.server import Server
from pbstore.client.wire_parameters import snapshot_parameters
from pbstore.errors import PbstoreError, ProtocolError
from pbstore.model.backup import Snapshot
from pbstore.model.namespace import Namespace

MAX_LOG_BYTES = 64 * 1024 * 1024


def forget_snapshot(server: Server, namespace: Namespace, snapshot: Snapshot) -> None:
    """Remove a snapshot, and its group with the last one.

    Raises:
        ServerError: it is protected, in use, or not there.
    """
    server.delete(f"{server.datastore_path}/snapshots", snapshot_parameters(namespace, snapshot))


def read_notes(server: Server, namespace: Namespace, snapshot: Snapshot) -> str:
    """The notes of a snapshot; empty without any."""
    notes = server.get(f"{server.datastore_path}/notes", snapshot_parameters(namespace, snapshot))
    if not isinstance(notes, str):
        raise ProtocolError("the server's answer is no text")
    return notes


def write_notes(server: Server, namespace: Namespace, snapshot: Snapshot, notes: str) -> None:
    """Replace the notes of a snapshot."""
    parameters = {**snapshot_parameters(namespace, snapshot), "notes": notes}
    server.put(f"{server.datastore_path}/notes", parameters)


def is_protected(server: Server, namespace: Namespace, snapshot: Snapshot) -> bool:
    """Whether a snapshot is protected against removal."""
    answer = server.get(f"{server.datastore_path}/protected", snapshot_parameters(namespace, snapshot))
    if not isinstance(answer, bool):
        raise ProtocolError("the server's answer is neither true nor false")
    return answer


def set_protected(server: Server, namespace: Namespace, snapshot: Snapshot, wanted: bool) -> None:
    """Protect a snapshot against removal, or end that."""
    parameters = {**snapshot_parameters(namespace, snapshot), "protected": wanted}
    server.put(f"{server.datastore_path}/protected", parameters)


def upload_log(server: Server, namespace: Namespace, snapshot: Snapshot, log: Path, keys: Keys) -> None:
    """Store the log of a backup with its snapshot, compressed and, if there is a key for it, encrypted.

    Raises:
        PbstoreError: the file is too large for a log.
        OSError: it cannot be read.
        ServerError: the snapshot has one already, or is not there.
    """
    with log.open("rb") as file:
        data = file.read(MAX_LOG_BYTES + 1)
    if len(data) > MAX_LOG_BYTES:
        raise PbstoreError(f"'{log}' is larger than {MAX_LOG_BYTES >> 20} MiB, too large for a log")
    blob = _core.seal_blob(data, key=keys.sealing_key, compress=True)
    server.post_data(f"{server.datastore_path}/upload-backup-log", snapshot_parameters(namespace, snapshot), blob)
