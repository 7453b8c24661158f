"""The server as the client's commands see it: REST calls of one logged-in user, and the two kinds of sessions."""

import json
from typing import Any
from urllib.parse import quote, urlencode

from pbstore import _core
from pbstore.client.answers import data_of, rows_of
from pbstore.client.listing import FileListing, GroupListing, SnapshotListing
from pbstore.client.login import Credentials
from pbstore.client.repository import RepositorySpec
from pbstore.errors import NotFoundError
from pbstore.model.backup import BackupGroup, Snapshot
from pbstore.model.namespace import Namespace

BACKUP_PROTOCOL = "proxmox-backup-protocol-v1"
READER_PROTOCOL = "proxmox-backup-reader-protocol-v1"
_USER_AGENT = ("user-agent", "proxmox-backup-client/1.0")


class Server:
    """One datastore on one server. Every call raises ServerError, ConnectionFailedError or ProtocolError."""

    def __init__(self, connection: _core.Connection, repository: RepositorySpec, credentials: Credentials):
        self._connection = connection
        self._headers = [_USER_AGENT, *credentials.headers]
        self.repository = repository
        self._datastore_path = f"admin/datastore/{quote(repository.datastore, safe='')}"

    def get(self, path: str, parameters: dict[str, Any] | None = None) -> Any:
        """GET `path` below `/api2/json/`; the `data` of the answer."""
        query = f"?{urlencode(parameters)}" if parameters else ""
        return data_of(*self._request("GET", path + query, self._headers, None))

    def post(self, path: str, parameters: dict[str, Any]) -> Any:
        """POST parameters as JSON; the `data` of the answer."""
        headers = [*self._headers, ("content-type", "application/json")]
        return data_of(*self._request("POST", path, headers, json.dumps(parameters).encode()))

    def version(self) -> dict[str, Any]:
        """`version`, `release` and `repoid`."""
        data = self.get("version")
        return data if isinstance(data, dict) else {}

    def status(self) -> dict[str, Any]:
        """Usage of the datastore: `total`, `used`, `avail` in bytes."""
        data = self.get(f"{self._datastore_path}/status")
        return data if isinstance(data, dict) else {}

    def groups(self, namespace: Namespace) -> list[GroupListing]:
        """All groups of a namespace that the user may see."""
        rows = rows_of(self.get(f"{self._datastore_path}/groups", _namespace_parameters(namespace)))
        return [GroupListing.from_wire(row) for row in rows]

    def snapshots(self, namespace: Namespace, group: BackupGroup | None = None) -> list[SnapshotListing]:
        """All snapshots of a namespace, or of one group in it."""
        parameters = _namespace_parameters(namespace)
        if group is not None:
            parameters |= _group_parameters(group)
        rows = rows_of(self.get(f"{self._datastore_path}/snapshots", parameters))
        return [SnapshotListing.from_wire(row) for row in rows]

    def files(self, namespace: Namespace, snapshot: Snapshot) -> list[FileListing]:
        """The files of a snapshot."""
        parameters = _namespace_parameters(namespace) | _snapshot_parameters(snapshot)
        return [FileListing.from_wire(row) for row in rows_of(self.get(f"{self._datastore_path}/files", parameters))]

    def namespaces(self, parent: Namespace, max_depth: int | None) -> list[dict[str, Any]]:
        """The namespaces below `parent`, itself included: objects with `ns` and perhaps `comment`."""
        parameters: dict[str, Any] = {} if parent.is_root else {"parent": str(parent)}
        if max_depth is not None:
            parameters["max-depth"] = max_depth
        return rows_of(self.get(f"{self._datastore_path}/namespace", parameters))

    def newest_snapshot(self, namespace: Namespace, group: BackupGroup) -> Snapshot:
        """The newest finished snapshot of a group.

        Raises:
            NotFoundError: there is none.
        """
        finished = [item.snapshot for item in self.snapshots(namespace, group) if item.is_finished]
        if not finished:
            raise NotFoundError(f"backup group {group} does not contain any snapshots.")
        return max(finished)

    def resolve(self, namespace: Namespace, named: BackupGroup | Snapshot) -> Snapshot:
        """The snapshot itself, or the newest one of a group."""
        return named if isinstance(named, Snapshot) else self.newest_snapshot(namespace, named)

    def open_backup(self, namespace: Namespace, snapshot: Snapshot, *, no_cache: bool = False) -> _core.Session:
        """Start a backup session; the snapshot must be newer than all others of its group."""
        more = {"debug": "true", "benchmark": "false"} | ({"no-cache": "true"} if no_cache else {})
        return self._open("backup", BACKUP_PROTOCOL, namespace, snapshot, more)

    def open_reader(self, namespace: Namespace, snapshot: Snapshot) -> _core.Session:
        """Start a reader session on an existing snapshot."""
        return self._open("reader", READER_PROTOCOL, namespace, snapshot, {"debug": "true"})

    def _open(
        self, path: str, protocol: str, namespace: Namespace, snapshot: Snapshot, more: dict[str, str]
    ) -> _core.Session:
        parameters = {
            **_snapshot_parameters(snapshot),
            "store": self.repository.datastore,
            **_namespace_parameters(namespace),
            **more,
        }
        return self._connection.open_session(f"/api2/json/{path}?{urlencode(parameters)}", protocol, self._headers)

    def _request(self, method: str, path: str, headers: list[tuple[str, str]], body: bytes | None) -> tuple[int, bytes]:
        status, _, answer = self._connection.request(method, f"/api2/json/{path}", headers, body)
        return status, answer


def group_or_snapshot(text: str) -> BackupGroup | Snapshot:
    """Read `type/id` or `type/id/time`.

    Raises:
        FormatError: neither.
    """
    return Snapshot.parse(text) if text.count("/") == 2 else BackupGroup.parse(text)


def _namespace_parameters(namespace: Namespace) -> dict[str, Any]:
    return {} if namespace.is_root else {"ns": str(namespace)}


def _group_parameters(group: BackupGroup) -> dict[str, Any]:
    return {"backup-type": group.backup_type.value, "backup-id": group.backup_id}


def _snapshot_parameters(snapshot: Snapshot) -> dict[str, Any]:
    return {**_group_parameters(snapshot.group), "backup-time": snapshot.backup_time}
