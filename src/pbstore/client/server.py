"""The server as the client's commands see it: REST calls of one logged-in user, and the two kinds of sessions."""

import json
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote, urlencode

from pbstore import _core
from pbstore.client.answers import data_of, envelope_of, rows_of, text_of
from pbstore.client.listing import FileListing, GroupListing, SnapshotListing
from pbstore.client.login import Credentials
from pbstore.client.repository import RepositorySpec
from pbstore.client.wire_parameters import group_parameters, namespace_parameters, query_value, snapshot_parameters
from pbstore.errors import NotFoundError, ServerError
from pbstore.model.backup import BackupGroup, Snapshot
from pbstore.model.namespace import Namespace

BACKUP_PROTOCOL = "proxmox-backup-protocol-v1"
READER_PROTOCOL = "proxmox-backup-reader-protocol-v1"
_USER_AGENT = ("user-agent", "proxmox-backup-client/1.0")


class Server:
    """One datastore on one server. Every call raises ServerError, ConnectionFailedError or ProtocolError."""

    def __init__(self, connection: _core.Connection, repository: RepositorySpec, credentials: Credentials):
        self._connection = connection
        self._credentials = credentials
        self.repository = repository
        self.datastore_path = f"admin/datastore/{quote(repository.datastore, safe='')}"

    def get(self, path: str, parameters: Mapping[str, Any] | None = None) -> Any:
        """GET `path` below `/api2/json/`; the `data` of the answer."""
        return data_of(*self._request("GET", path, parameters))

    def get_envelope(self, path: str, parameters: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """GET `path`; the whole answer, of which `data` is one member."""
        return envelope_of(*self._request("GET", path, parameters))

    def post(self, path: str, parameters: Mapping[str, Any]) -> Any:
        """POST parameters as JSON; the `data` of the answer."""
        return data_of(*self._send("POST", path, parameters))

    def post_data(self, path: str, parameters: Mapping[str, Any], data: bytes) -> Any:
        """POST bytes, with the parameters in the query; the `data` of the answer."""
        return data_of(*self._request("POST", path, parameters, data, "application/octet-stream"))

    def put(self, path: str, parameters: Mapping[str, Any]) -> Any:
        """PUT parameters as JSON; the `data` of the answer."""
        return data_of(*self._send("PUT", path, parameters))

    def delete(self, path: str, parameters: Mapping[str, Any] | None = None) -> Any:
        """DELETE `path`; the `data` of the answer."""
        return data_of(*self._request("DELETE", path, parameters))

    def version(self) -> dict[str, Any]:
        """`version`, `release` and `repoid`."""
        data = self.get("version")
        return data if isinstance(data, dict) else {}

    def status(self) -> dict[str, Any]:
        """Usage of the datastore: `total`, `used`, `avail` in bytes."""
        data = self.get(f"{self.datastore_path}/status")
        return data if isinstance(data, dict) else {}

    def groups(self, namespace: Namespace) -> list[GroupListing]:
        """All groups of a namespace that the user may see."""
        rows = rows_of(self.get(f"{self.datastore_path}/groups", namespace_parameters(namespace)))
        return [GroupListing.from_wire(row) for row in rows]

    def snapshots(self, namespace: Namespace, group: BackupGroup | None = None) -> list[SnapshotListing]:
        """All snapshots of a namespace, or of one group in it."""
        parameters = namespace_parameters(namespace) if group is None else group_parameters(namespace, group)
        rows = rows_of(self.get(f"{self.datastore_path}/snapshots", parameters))
        return [SnapshotListing.from_wire(row) for row in rows]

    def files(self, namespace: Namespace, snapshot: Snapshot) -> list[FileListing]:
        """The files of a snapshot."""
        parameters = snapshot_parameters(namespace, snapshot)
        return [FileListing.from_wire(row) for row in rows_of(self.get(f"{self.datastore_path}/files", parameters))]

    def server_identity(self) -> str:
        """The `pbs-instance-id`, which tells servers apart whatever their address."""
        data = self.get("nodes/localhost/identity")
        return text_of(data if isinstance(data, dict) else {}, "pbs-instance-id")

    def namespaces(self, parent: Namespace, max_depth: int | None) -> list[dict[str, Any]]:
        """The namespaces below `parent`, itself included: objects with `ns` and perhaps `comment`."""
        parameters: dict[str, Any] = {} if parent.is_root else {"parent": str(parent)}
        if max_depth is not None:
            parameters["max-depth"] = max_depth
        return rows_of(self.get(f"{self.datastore_path}/namespace", parameters))

    def newest_snapshot(
        self, namespace: Namespace, group: BackupGroup, inform: Callable[[str], None] | None = None
    ) -> Snapshot:
        """The newest finished snapshot of a group; `inform` is told of newer ones that are not finished.

        Raises:
            NotFoundError: there is none.
        """
        try:
            snapshots = self.snapshots(namespace, group)
        except ServerError:
            # What a server says of a group that is not there differs from release to release.
            if any(item.group == group for item in self.groups(namespace)):
                raise
            snapshots = []
        finished = [item.snapshot for item in snapshots if item.is_finished]
        if not finished:
            raise NotFoundError(f"backup group {group} does not contain any snapshots.")
        newest = max(finished)
        for item in snapshots:
            if inform is not None and item.snapshot > newest:
                inform(f"skipping snapshot {item.snapshot}, which is not finished")
        return newest

    def resolve(
        self, namespace: Namespace, named: BackupGroup | Snapshot, inform: Callable[[str], None] | None = None
    ) -> Snapshot:
        """The snapshot itself, or the newest one of a group."""
        return named if isinstance(named, Snapshot) else self.newest_snapshot(namespace, named, inform)

    def open_backup(
        self, namespace: Namespace, snapshot: Snapshot, *, no_cache: bool = False, is_benchmark: bool = False
    ) -> _core.Session:
        """Start a backup session; the snapshot must be newer than all others of its group.

        `is_benchmark` is for the group `host/benchmark` only, of which nothing is kept.
        """
        more = {"debug": "true", "benchmark": str(is_benchmark).lower()} | ({"no-cache": "true"} if no_cache else {})
        return self._open("backup", BACKUP_PROTOCOL, namespace, snapshot, more)

    def open_reader(self, namespace: Namespace, snapshot: Snapshot) -> _core.Session:
        """Start a reader session on an existing snapshot."""
        return self._open("reader", READER_PROTOCOL, namespace, snapshot, {"debug": "true"})

    def _open(
        self, path: str, protocol: str, namespace: Namespace, snapshot: Snapshot, more: dict[str, str]
    ) -> _core.Session:
        parameters = {
            **snapshot_parameters(namespace, snapshot),
            "store": self.repository.datastore,
            **more,
        }
        return self._connection.open_session(f"/api2/json/{path}?{urlencode(parameters)}", protocol, self._headers())

    def _send(self, method: str, path: str, parameters: Mapping[str, Any]) -> tuple[int, bytes]:
        return self._request(method, path, None, json.dumps(parameters).encode(), "application/json")

    def _request(
        self,
        method: str,
        path: str,
        parameters: Mapping[str, Any] | None,
        body: bytes | None = None,
        content_type: str | None = None,
    ) -> tuple[int, bytes]:
        values = {name: query_value(value) for name, value in (parameters or {}).items()}
        query = f"?{urlencode(values)}" if values else ""
        headers = self._headers() + ([] if content_type is None else [("content-type", content_type)])
        status, _, answer = self._connection.request(method, f"/api2/json/{path}{query}", headers, body)
        return status, answer

    def _headers(self) -> list[tuple[str, str]]:
        """Made anew for each call: a ticket is replaced while the program runs."""
        return [_USER_AGENT, *self._credentials.headers]


def group_or_snapshot(text: str) -> BackupGroup | Snapshot:
    """Read `type/id` or `type/id/time`.

    Raises:
        FormatError: neither.
    """
    return Snapshot.parse(text) if text.count("/") == 2 else BackupGroup.parse(text)
