"""All snapshots of one id, whatever their type: virtual machines and containers share their numbers."""

from pbstore.client.answers import rows_of
from pbstore.client.listing import SnapshotListing
from pbstore.client.server import Server
from pbstore.client.wire_parameters import namespace_parameters
from pbstore.model.namespace import Namespace


def snapshots_of_id(server: Server, namespace: Namespace, backup_id: str) -> list[SnapshotListing]:
    """The snapshots of all groups of that id; none if there is no such group.

    Raises:
        ServerError, ConnectionFailedError, ProtocolError: the server cannot be asked.
    """
    parameters = {**namespace_parameters(namespace), "backup-id": backup_id}
    rows = rows_of(server.get(f"{server.datastore_path}/snapshots", parameters))
    return [SnapshotListing.from_wire(row) for row in rows]
