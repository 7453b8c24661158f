"""Changing the configuration of a datastore (rest-api.md 4.1)."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from pbstore.config.datastore_cfg import DatastoreConfig, DatastoreFile
from pbstore.config.job_state import GARBAGE_COLLECTION, start_job_anew
from pbstore.config.roots import Roots
from pbstore.config.section_schema import Value
from pbstore.errors import DatastoreError, ParameterError

_ONLY_REMOVABLE = ("gc-on-unmount",)
_ONLY_OBJECT_STORAGE = ("notification-thresholds", "counter-reset-schedule")


@dataclass(frozen=True)
class Reconfiguration:
    """New values by wire key, and the keys that are taken out before those are set."""

    values: Mapping[str, Value]
    delete: Collection[str] = ()

    def apply(self, roots: Roots, name: str, *, digest: str | None, now: int) -> None:
        """Change the configuration of a store; who has it open notices.

        Raises:
            ConfigError: there is no such store, the digest is not that of the file, or the file cannot be used.
            DatastoreError: the store is being deleted.
            ParameterError: a value that this kind of store has no use for.
            LockedError: somebody else changes the file.
        """
        _refuse_retention({*self.values, *self.delete})
        with DatastoreFile(roots).edit(digest) as edit:
            old = edit.current.get(name)
            new = old.changed({**dict.fromkeys(self.delete), **self.values})
            self._check(old, new)
            edit.put(new)
        if new.gc_schedule != old.gc_schedule:
            start_job_anew(roots, GARBAGE_COLLECTION, name, now)

    def _check(self, old: DatastoreConfig, new: DatastoreConfig) -> None:
        mode = old.maintenance_mode
        if mode is not None and mode.mode == "delete" and new.maintenance_mode != mode:
            raise DatastoreError(f"datastore '{old.name}' is being deleted: its maintenance mode cannot be changed")
        check_kind(new, self.values)


def check_kind(config: DatastoreConfig, values: Collection[str]) -> None:
    """Return if the keys that are to be set mean something for this kind of store.

    Raises:
        ParameterError: one does not.
    """
    for key in _ONLY_REMOVABLE if not config.is_removable else ():
        if key in values:
            raise ParameterError({key: "only removable datastores have it"})
    for key in _ONLY_OBJECT_STORAGE if config.backend_type == "filesystem" else ():
        if key in values:
            raise ParameterError({key: "only datastores in object storage have it"})


def _refuse_retention(keys: Collection[str]) -> None:
    for key in sorted(keys):
        if key == "prune-schedule" or key.startswith("keep-"):
            raise ParameterError({key: "datastores have no prune settings any more: change the prune job instead"})
