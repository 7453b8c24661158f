"""The storages of a host as commands and API see them: found by name, checked, and used (pve-storage.md 4, 5, 6)."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field

from pbstore.errors import ConfigError, ParameterError, PbstoreError, UnsupportedError
from pbstore.pve.host import Host
from pbstore.pve.storage.changes import StorageChanges, no_storage
from pbstore.pve.storage.dir_plugin import DirPlugin
from pbstore.pve.storage.pbs_plugin import PbsPlugin
from pbstore.pve.storage.plugin import StoragePlugin
from pbstore.pve.storage.properties import CONTENT_TYPES
from pbstore.pve.storage.retention import Retention, parse_retention
from pbstore.pve.storage.storage import Storage
from pbstore.pve.storage.storage_cfg import LoadedStorages, StorageFile
from pbstore.pve.storage.volume_id import VolumeId
from pbstore.pve.storage.volume_info import PruneVerdict, Usage, VolumeEntry

Line = Callable[[str], None]
_PLUGINS = {"dir": DirPlugin, "pbs": PbsPlugin}
_IMAGE_FORMATS = {"dir": ("qcow2", "raw", "subvol", "vmdk")}


@dataclass(frozen=True, kw_only=True)
class StorageState:
    """A storage as it is on this node now."""

    storage: Storage
    is_enabled: bool
    is_active: bool = False
    usage: Usage = field(default_factory=Usage)

    def describe(self, *, with_formats: bool = False) -> dict[str, object]:
        """The object of the API (pve-api.md 3)."""
        usage = self.usage
        shown: dict[str, object] = {
            "storage": self.storage.storage_id,
            "type": self.storage.storage_type.name,
            "content": ",".join(self.storage.content),
            "enabled": int(self.is_enabled),
            "active": int(self.is_active),
            "shared": int(self.storage.is_shared),
            "total": usage.total,
            "used": usage.used,
            "avail": usage.available,
        }
        if usage.total > 0:
            shown["used_fraction"] = usage.used / usage.total
        if with_formats:
            supported = _IMAGE_FORMATS.get(self.storage.storage_type.name, ())
            default = self.storage.text("format") or "raw"
            shown["formats"] = {"supported": list(supported), **({"default": default} if supported else {})}
        return shown


class Storages:
    """What can be done on one host. `warn` takes warnings, `log` the lines of work that goes on."""

    def __init__(self, host: Host, *, warn: Line, log: Line):
        self.host = host
        self._warn = warn
        self._log = log

    def load(self) -> LoadedStorages:
        """Read the configuration; what is odd in it is a warning.

        Raises:
            ConfigError: it cannot be read.
        """
        loaded = StorageFile(self.host).load()
        for warning in loaded.warnings:
            self._warn(warning)
        return loaded

    @property
    def changes(self) -> StorageChanges:
        """Adding, changing and removing storages."""
        return StorageChanges(self.host, lambda storage: self.plugin(storage).activate(), self._warn)

    def plugin(self, storage: Storage) -> StoragePlugin:
        """What a storage can do.

        Raises:
            UnsupportedError: storages of its type are only kept, not used.
        """
        plugin = _PLUGINS.get(storage.storage_type.name)
        if plugin is None:
            raise UnsupportedError(
                f"storage '{storage.storage_id}': storages of type '{storage.storage_type.name}' cannot be used here"
            )
        return plugin(self.host, storage, self._log)

    def usable(self, storage_id: str) -> Storage:
        """Return a storage that this node may use.

        Raises:
            NotFoundError: there is no such storage.
            ConfigError: it is disabled, or for other nodes.
        """
        storage = self.load().storages.get(storage_id)
        if storage is None:
            raise no_storage(storage_id)
        if storage.is_disabled:
            raise ConfigError(f"storage '{storage_id}' is disabled")
        if not storage.is_enabled_on(self.host.node):
            raise ConfigError(f"storage '{storage_id}' is not available on node '{self.host.node}'")
        return storage

    def states(
        self,
        *,
        storage_id: str | None = None,
        content: Collection[str] | None = None,
        only_enabled: bool = False,
        target: str | None = None,
    ) -> list[StorageState]:
        """The state of all storages, or of those that fit, by id. One that cannot be reached is a warning.

        Raises:
            ParameterError: there is no storage of that id.
        """
        storages = self.load().storages
        if storage_id is not None and storage_id not in storages:
            raise ParameterError({"storage": "No such storage."})
        states = []
        for name, storage in sorted(storages.items()):
            is_enabled = storage.is_enabled_on(self.host.node)
            fits = content is None or (is_enabled and bool(set(content) & set(storage.content)))
            reaches = target is None or (is_enabled and storage.is_enabled_on(target))
            if storage_id in (None, name) and fits and reaches and (is_enabled or not only_enabled):
                states.append(self._state(storage, is_enabled))
        return states

    def volumes(
        self, storage_id: str, *, content: Sequence[str] | None = None, vmid: int | None = None
    ) -> list[VolumeEntry]:
        """The volumes of a storage, sorted by id.

        Raises:
            PbstoreError: the storage cannot be used now.
        """
        plugin = self._active(storage_id)
        entries = plugin.volumes(CONTENT_TYPES if content is None else content, vmid)
        return sorted(entries, key=lambda entry: str(entry.volume).lower())

    def of_volume(self, volume: VolumeId) -> StoragePlugin:
        """The storage of a volume.

        Raises:
            PbstoreError: it cannot be used.
        """
        return self.plugin(self.usable(volume.storage_id))

    def allocate(
        self, storage_id: str, vmid: int, file_name: str | None, size_kib: int, image_format: str | None
    ) -> VolumeId:
        """Make an image for a guest.

        Raises:
            PbstoreError: the storage does not take images, or cannot be used now.
        """
        plugin = self._active(storage_id)
        return VolumeId(storage_id, plugin.allocate(vmid, file_name, size_kib, image_format))

    def free(self, volume: VolumeId) -> None:
        """Remove a volume for good.

        Raises:
            PbstoreError: it is not there, protected, or the storage cannot be used now.
        """
        self.of_volume(volume).free(volume.name)
        self._log(f"Removed volume '{volume}'")

    def extract_config(self, volume: VolumeId) -> str:
        """The guest's configuration in a backup.

        Raises:
            PbstoreError: no backup, no configuration in it, no key for it.
        """
        plugin = self.of_volume(volume)
        if plugin.content_type(volume.name) != "backup":
            raise PbstoreError(f"volume '{volume}' is no backup")
        return plugin.extract_config(volume.name)

    def prune(
        self,
        storage_id: str,
        keep: Retention | None = None,
        *,
        vmid: int | None = None,
        subtype: str | None = None,
        dry_run: bool,
    ) -> list[PruneVerdict]:
        """Remove the backups that are not to be kept; `keep` None means what the storage says.

        Raises:
            PbstoreError: nothing says what to keep, or something could not be pruned.
        """
        storage = self.usable(storage_id)
        if "backup" not in storage.content:
            raise PbstoreError(f"storage '{storage_id}' does not support backups")
        if keep is None:
            configured = storage.text("prune-backups")
            if configured is None:
                raise PbstoreError(f"no prune-backups options configured for storage '{storage_id}'")
            keep = parse_retention(configured)
        return self.plugin(storage).prune(keep, vmid, subtype, dry_run=dry_run)

    def _active(self, storage_id: str) -> StoragePlugin:
        plugin = self.plugin(self.usable(storage_id))
        plugin.activate()
        return plugin

    def _state(self, storage: Storage, is_enabled: bool) -> StorageState:
        if is_enabled:
            try:
                plugin = self.plugin(storage)
                plugin.activate()
                for warning in plugin.activation_warnings():
                    self._warn(warning)
                return StorageState(storage=storage, is_enabled=True, is_active=True, usage=plugin.usage())
            except (PbstoreError, OSError) as error:
                self._warn(str(error))
        return StorageState(storage=storage, is_enabled=is_enabled)
