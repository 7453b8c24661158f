"""Adding, changing and removing a storage for the whole cluster (pve-storage.md 2).

All of it happens under the lock of `storage.cfg`: secrets first, then the activation of a new storage, then the file. A
storage that cannot be added leaves nothing behind.
"""

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from pbstore.errors import ConfigError, FormatError, LockedError, NotFoundError, PbstoreError
from pbstore.pve.host import Host
from pbstore.pve.section_text import check_writable
from pbstore.pve.storage.access_cleanup import forget_storage
from pbstore.pve.storage.retention import of_maxfiles
from pbstore.pve.storage.secret_changes import SecretChanges, SecretMarks, delete_secrets
from pbstore.pve.storage.secrets import StorageSecrets
from pbstore.pve.storage.section_reader import check_required, checked_content
from pbstore.pve.storage.storage import Storage, is_backup_server
from pbstore.pve.storage.storage_cfg import StorageFile
from pbstore.pve.storage.types import TYPES, StorageType, Use
from pbstore.pve.value_types import Value, written

Warn = Callable[[str], None]
_DIRECTORY = re.compile(r"/[-/a-zA-Z0-9_.@]+")


@dataclass(frozen=True)
class ChangeResult:
    """What the API answers; `config` has the text of a key that was set, and is None for other types of storages."""

    storage_id: str
    storage_type: str
    config: Mapping[str, str] | None

    def describe(self) -> dict[str, object]:
        """The object of the API."""
        shown: dict[str, object] = {"storage": self.storage_id, "type": self.storage_type}
        return shown if self.config is None else {**shown, "config": dict(self.config)}


@dataclass(frozen=True)
class StorageChanges:
    """Changes made on one host. `activate` is asked to reach a new storage; `warn` takes lines for whoever watches."""

    host: Host
    activate: Callable[[Storage], None]
    warn: Warn

    def create(self, storage_id: str, type_name: str, given: Mapping[str, Value]) -> ChangeResult:
        """Add a storage; `given` has the values of the API.

        Raises:
            PbstoreError: it exists, something is missing or wrong, or it cannot be reached.
        """
        secrets = StorageSecrets(self.host, storage_id)
        with _failing("create storage failed"), StorageFile(self.host).edit() as edit:
            if storage_id in edit.loaded.storages:
                raise ConfigError(f"storage ID '{storage_id}' already defined")
            storage_type = _supported(type_name)
            values = _new_values(storage_type, given, self.warn)
            changes = SecretChanges.of(given)
            edit.on_failure(secrets.delete_all)
            marks = changes.apply(secrets)
            changes.delete_others(secrets)
            storage = Storage(storage_id, storage_type, {**values, **marks.values})
            if storage.is_enabled_on(self.host.node):
                self.activate(storage)
            edit.put(storage)
        return _result(storage, marks)

    def update(
        self, storage_id: str, given: Mapping[str, Value], delete: Collection[str] = (), *, digest: str | None = None
    ) -> ChangeResult:
        """Change what is given, take out what is to be deleted; nothing else is touched.

        Raises:
            PbstoreError: there is no such storage, or something cannot be changed.
        """
        secrets = StorageSecrets(self.host, storage_id)
        with _failing("update storage failed"), StorageFile(self.host).edit(digest) as edit:
            old = edit.loaded.storages.get(storage_id)
            if old is None:
                raise no_storage(storage_id)
            storage_type = _supported(old.storage_type.name)
            values = _changed_values(storage_type, given, self.warn)
            _check_delete(storage_type, given, delete)
            kept = {key: value for key, value in old.values.items() if key not in delete}
            changes = SecretChanges.of(given, has_key="encryption-key" in kept)
            marks = changes.apply(secrets)
            delete_secrets(secrets, delete)
            storage = Storage(storage_id, storage_type, {**kept, **values, **marks.values})
            edit.put(storage, delete)
        return _result(storage, marks)

    def delete(self, storage_id: str) -> None:
        """Remove a storage, its secrets and the rights on it. What it holds stays where it is.

        Raises:
            PbstoreError: there is no such storage, or something cannot be removed.
        """
        with _failing("delete storage failed"):
            with StorageFile(self.host).edit() as edit:
                if storage_id not in edit.loaded.storages:
                    raise no_storage(storage_id)
                StorageSecrets(self.host, storage_id).delete_all()
                edit.remove(storage_id)
            forget_storage(self.host, storage_id)


def no_storage(storage_id: str) -> NotFoundError:
    """What is said of a storage that is not configured."""
    return NotFoundError(f"storage '{storage_id}' does not exist")


@contextmanager
def _failing(what: str) -> Iterator[None]:
    """Say what failed; the kind of error stays."""
    try:
        yield
    except (LockedError, NotFoundError, FormatError, ConfigError) as error:
        raise type(error)(f"{what}: {error}") from None
    except PbstoreError as error:
        raise PbstoreError(f"{what}: {error}") from None


def _supported(type_name: str) -> StorageType:
    storage_type = TYPES.get(type_name)
    if storage_type is None or not storage_type.is_supported:
        raise ConfigError(f"storages of type '{type_name}' cannot be configured here")
    return storage_type


def _new_values(storage_type: StorageType, given: Mapping[str, Value], warn: Warn) -> dict[str, Value]:
    values = _checked_values(storage_type, given, warn)
    check_required(storage_type, values)
    path = values.get("path")
    if isinstance(path, str):
        if not _DIRECTORY.fullmatch(path):
            raise ConfigError(f"illegal path for directory storage: {path}")
        values["path"] = path.rstrip("/") or "/"
    return values


def _changed_values(storage_type: StorageType, given: Mapping[str, Value], warn: Warn) -> dict[str, Value]:
    for key in given:
        if key in storage_type.uses and storage_type.is_fixed(key):
            raise ConfigError(f"can't change value of fixed parameter '{key}'")
    return _checked_values(storage_type, given, warn)


def _checked_values(storage_type: StorageType, given: Mapping[str, Value], warn: Warn) -> dict[str, Value]:
    """The values that stand in the file: all but the secrets."""
    values: dict[str, Value] = {}
    for key, value in given.items():
        if key not in storage_type.uses:
            raise ConfigError(f"unexpected property '{key}'")
        if key == "maxfiles" and isinstance(value, int):
            values.setdefault("prune-backups", of_maxfiles(value))
        elif key == "content" and isinstance(value, tuple):
            values[key] = checked_content(storage_type, value, warn)
        elif key not in storage_type.secrets and check_writable(key, written(value)):
            values[key] = value
    return values


def _check_delete(storage_type: StorageType, given: Mapping[str, Value], delete: Collection[str]) -> None:
    for key in delete:
        use = storage_type.uses.get(key)
        if use is None:
            raise ConfigError(f"no such option '{key}'")
        if use in (Use.REQUIRED, Use.FIXED):
            raise ConfigError(f"unable to delete {'required' if use is Use.REQUIRED else 'fixed'} option '{key}'")
        if key in given:
            raise ConfigError(f"cannot set and delete property '{key}' at the same time!")


def _result(storage: Storage, marks: SecretMarks) -> ChangeResult:
    return ChangeResult(
        storage.storage_id, storage.storage_type.name, marks.result if is_backup_server(storage) else None
    )
