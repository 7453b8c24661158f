"""What methods share that read the content of one snapshot: right, maintenance mode, and a read that is counted."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TypedDict, Unpack

from pbstore._core import FileBody
from pbstore.api.method import Call, RawReply
from pbstore.config.maintenance_mode import Operation
from pbstore.datastore.snapshot_files import SnapshotFiles
from pbstore.model.backup import BackupGroup, BackupType, Snapshot
from pbstore.model.namespace import Namespace
from pbstore.server.content_right import READ
from pbstore.server.registry import Registry


class SnapshotPlace(TypedDict):
    """The parameters `STORE` and `SNAPSHOT`."""

    store: str
    ns: Namespace
    backup_type: BackupType
    backup_id: str
    backup_time: int


@dataclass(frozen=True)
class Reading:
    """A snapshot that the caller may read."""

    files: SnapshotFiles
    _guards: ExitStack

    def reply(self, body: FileBody) -> RawReply:
        """Answer with a body; it counts as a read of the store until it was sent or given up."""
        body.hold(self._guards.pop_all())
        return RawReply(body)


@contextmanager
def reading(call: Call[Registry], **place: Unpack[SnapshotPlace]) -> Iterator[Reading]:
    """Open the snapshot for the time of a call, or longer if a body is the answer.

    Raises:
        DatastoreError: the store cannot be read now, or the group is somebody else's.
    """
    with ExitStack() as guards:
        datastore = guards.enter_context(call.state.datastores.using(place["store"], Operation.READ))
        group = BackupGroup(place["backup_type"], place["backup_id"])
        READ.check_group(call, datastore, place["ns"], group)
        yield Reading(SnapshotFiles(datastore, place["ns"], Snapshot(group, place["backup_time"])), guards)
