"""What can be done with a storage of type `pbs`: everything asks the backup server (pve-storage.md 4, 5)."""

from collections.abc import Sequence

from pbstore.client.answers import number_of
from pbstore.client.group_changes import prune_group
from pbstore.client.guest_snapshots import snapshots_of_id
from pbstore.client.server import Server
from pbstore.client.small_file import read_small_file
from pbstore.client.snapshot_changes import forget_snapshot, is_protected, read_notes, set_protected, write_notes
from pbstore.errors import EncryptionKeyError, PbstoreError, ProtocolError, ServerError
from pbstore.model.backup import BackupGroup, BackupType, Snapshot
from pbstore.pve.storage.backup_entries import CONTENT, backup_entries
from pbstore.pve.storage.backup_server import BackupServer
from pbstore.pve.storage.plugin import StoragePlugin
from pbstore.pve.storage.retention import Retention
from pbstore.pve.storage.volume_id import SUBTYPES, BackupVolume, VolumeId
from pbstore.pve.storage.volume_info import PruneVerdict, Usage, VolumeEntry, VolumeSize

_CONFIG_FILES = {"pbs-vm": "qemu-server.conf.blob", "pbs-ct": "pct.conf.blob"}
_TYPES = {subtype: BackupType(name) for name, subtype in SUBTYPES.items()}
_TOO_OLD = "Server is not recent enough to support feature 'protected'"


class PbsPlugin(StoragePlugin):
    """A datastore on a backup server."""

    @property
    def _server(self) -> BackupServer:
        return BackupServer(self.host, self.storage)

    def activate(self) -> None:
        """Return if the server can be reached and shows the datastore."""
        self._server.check_datastore()

    def activation_warnings(self) -> list[str]:
        """A key that is configured but gone: backups cannot be made or restored then."""
        try:
            self._server.check_keys()
        except EncryptionKeyError as error:
            return [f"{self.storage.storage_id}: {error}"]
        return []

    def usage(self) -> Usage:
        """How full the datastore is; a namespace has no size of its own."""
        status = self._server.open().status()
        total, used, available = (number_of(status, name) for name in ("total", "used", "avail"))
        return Usage(total=total, used=used, available=available)

    def volumes(self, content: Sequence[str], vmid: int | None = None) -> list[VolumeEntry]:
        """The backups of guests."""
        if CONTENT not in content:
            return []
        namespace = self._server.namespace
        try:
            server = self._server.open()
            snapshots = server.snapshots(namespace) if vmid is None else snapshots_of_id(server, namespace, str(vmid))
        except PbstoreError as error:
            raise PbstoreError(f"error listing snapshots - {error}") from None
        return backup_entries(self.storage.storage_id, snapshots)

    def path(self, name: str) -> str:
        """An address of the snapshot."""
        namespace = str(self._server.namespace).replace("/", "%2f")
        suffix = f"?ns={namespace}" if namespace else ""
        return f"pbs://{self._server.repository}/{BackupVolume.parse(name).snapshot}{suffix}"

    def vmid(self, name: str) -> int | None:
        """The guest."""
        return BackupVolume.parse(name).vmid

    def content_type(self, name: str) -> str:
        """Nothing but backups."""
        BackupVolume.parse(name)
        return CONTENT

    def free(self, name: str) -> None:
        """Forget the snapshot; the server refuses if it is protected."""
        snapshot = BackupVolume.parse(name).snapshot
        forget_snapshot(self._server.open(), self._server.namespace, snapshot)

    def size(self, name: str) -> VolumeSize:
        """The sum of all archives."""
        volume = BackupVolume.parse(name)
        files = self._server.open().files(self._server.namespace, volume.snapshot)
        total = sum(file.size or 0 for file in files)
        return VolumeSize(size=total, used=total, format=volume.format)

    def attribute(self, name: str, attribute: str) -> object:
        """`notes` as text, `protected` as truth value."""
        snapshot, namespace = BackupVolume.parse(name).snapshot, self._server.namespace
        if attribute == "notes":
            return read_notes(self._server.open(), namespace, snapshot)
        if attribute == "protected":
            return is_protected(self._server.open(), namespace, snapshot)
        self._refuse_attribute(attribute)

    def set_attribute(self, name: str, attribute: str, value: object, *, protected_limit: int = -1) -> None:
        """Change `notes` or `protected`."""
        volume, namespace = BackupVolume.parse(name), self._server.namespace
        if attribute == "notes":
            write_notes(self._server.open(), namespace, volume.snapshot, str(value))
        elif attribute == "protected":
            server = self._server.open()
            if value:
                self._check_limit(server, volume, protected_limit)
            _set_protected(server, self._server, volume.snapshot, bool(value))
        else:
            self._refuse_attribute(attribute)

    def extract_config(self, name: str) -> str:
        """The guest's configuration, decrypted with the storage's key."""
        volume = BackupVolume.parse(name)
        file_name = _CONFIG_FILES.get(volume.format)
        if file_name is None:
            self._refuse(f"unable to extract configuration for backup format '{volume.format}'")
        keys, namespace = self._server.keys(), self._server.namespace
        content = read_small_file(self._server.open(), namespace, volume.snapshot, file_name, keys, self.log)
        return content.decode(errors="replace")

    def prune(
        self, keep: Retention, vmid: int | None = None, subtype: str | None = None, *, dry_run: bool
    ) -> list[PruneVerdict]:
        """Have the server prune group by group; one that fails does not stop the others."""
        server, namespace = self._server.open(), self._server.namespace
        verdicts: list[PruneVerdict] = []
        has_failed = False
        for group in self._groups(vmid, subtype):
            if not dry_run:
                self.log(f"running 'proxmox-backup-client prune' for '{group}'")
            try:
                rows = prune_group(server, namespace, group, keep, dry_run=dry_run)
                verdicts += [self._verdict(row) for row in rows]
            except PbstoreError as error:
                self.log(f"prune '{group}': {error}")
                has_failed = True
        if has_failed:
            raise PbstoreError("error pruning backups - check log")
        return verdicts

    def identity(self) -> str:
        """The id of the server's installation."""
        return self._server.open().server_identity()

    def _groups(self, vmid: int | None, subtype: str | None) -> list[BackupGroup]:
        if vmid is not None and subtype is not None:
            return [BackupGroup(_TYPES[subtype], str(vmid))]
        entries = self.volumes([CONTENT], vmid)
        wanted = [entry for entry in entries if subtype in (None, entry.subtype)]
        return sorted({BackupVolume.parse(entry.volume.name).snapshot.group for entry in wanted})

    def _verdict(self, row: dict[str, object]) -> PruneVerdict:
        try:
            group = BackupGroup(BackupType.parse(str(row.get("backup-type"))), str(row.get("backup-id")))
            volume = BackupVolume(Snapshot(group, number_of(row, "backup-time")))
        except PbstoreError:
            raise ProtocolError("result from the backup server's prune is not as expected") from None
        if volume.vmid is None or volume.subtype is None or not isinstance(row.get("keep"), bool):
            raise ProtocolError("result from the backup server's prune is not as expected")
        mark = "protected" if row.get("protected") else "keep" if row["keep"] else "remove"
        ctime = volume.snapshot.backup_time
        volume_id: VolumeId = volume.in_storage(self.storage.storage_id)
        return PruneVerdict(volume=volume_id, ctime=ctime, mark=mark, subtype=volume.subtype, vmid=volume.vmid)

    def _check_limit(self, server: Server, volume: BackupVolume, limit_of_caller: int) -> None:
        limit = self.storage.number("max-protected-backups")
        limit = limit_of_caller if limit is None else limit
        if limit < 0:
            return
        snapshots = server.snapshots(self._server.namespace, volume.snapshot.group)
        others = [one for one in snapshots if one.wire.get("protected") and one.snapshot != volume.snapshot]
        if len(others) >= limit:
            raise PbstoreError(
                f"The number of protected backups per guest is limited to {limit} "
                f"on storage '{self.storage.storage_id}'"
            )


def _set_protected(server: Server, place: BackupServer, snapshot: Snapshot, wanted: bool) -> None:
    try:
        set_protected(server, place.namespace, snapshot, wanted)
    except ServerError as error:
        if error.status == 404 and "not found" in str(error).lower() and "path" in str(error).lower():
            raise PbstoreError(_TOO_OLD) from None
        raise
