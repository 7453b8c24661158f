"""The checks before a reader session and the lock it starts with (protocol-transport.md 4.2)."""

from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from pbstore.datastore.datastore import Datastore
from pbstore.datastore.groups import read_owner
from pbstore.datastore.locks import lock_snapshot
from pbstore.datastore.snapshots import require_snapshot
from pbstore.errors import DatastoreError
from pbstore.model.auth_id import AuthId
from pbstore.model.backup import Snapshot
from pbstore.model.namespace import Namespace


@dataclass(frozen=True)
class ReaderPlace:
    """The snapshot's directory and the lock that keeps it there."""

    directory: Path
    guards: ExitStack


def open_reader(
    datastore: Datastore, namespace: Namespace, snapshot: Snapshot, *, only_of: AuthId | None
) -> ReaderPlace:
    """Lock a snapshot for reading; with `only_of` the group must be that caller's.

    Raises:
        DatastoreError: there is no such snapshot, or it is somebody else's.
        LockedError: it is being written or removed.
    """
    if only_of is not None:
        owner = read_owner(datastore, namespace, snapshot.group)
        if not only_of.owns(owner):
            raise DatastoreError(f"backup owner check failed ({only_of} != {owner})")
    directory = require_snapshot(datastore, namespace, snapshot)
    with ExitStack() as guards:
        guards.enter_context(lock_snapshot(datastore, namespace, snapshot, shared=True))
        require_snapshot(datastore, namespace, snapshot)
        return ReaderPlace(directory, guards.pop_all())
