"""From the wish for a datastore to one that is made, or taken over, and configured (version-4.md 5.3)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from pbstore._core import ChunkStore
from pbstore.config.datastore_cfg import DatastoreCfg, DatastoreConfig, DatastoreFile
from pbstore.config.job_state import GARBAGE_COLLECTION, start_job_anew
from pbstore.config.roots import Roots
from pbstore.config.store_jobs import add_default_prune_job
from pbstore.datastore.access_time import check_access_time
from pbstore.datastore.adoption import check_adoptable
from pbstore.datastore.creation import check_empty, check_path, create_datastore, undo_creation
from pbstore.errors import DatastoreError, ParameterError, UnsupportedError

Log = Callable[[str], None]


@dataclass(frozen=True)
class NewDatastore:
    """A store to be: `reuse` takes a directory over that is a datastore already.

    `prune_schedule` with the `keep` options (by wire key) becomes a prune job.
    """

    config: DatastoreConfig
    reuse: bool = False
    prune_schedule: str | None = None
    keep: Mapping[str, int] = field(default_factory=dict)

    def check(self, cfg: DatastoreCfg) -> None:
        """Return if nothing speaks against it so far; the directory is looked at, not changed.

        Raises:
            ParameterError: the name is taken, or the path is not absolute.
            DatastoreError: the path may not be used, or is not empty.
            UnsupportedError: a kind of store that this version cannot serve.
        """
        name, path = self.config.name, self.config.path
        if name in cfg.datastores:
            raise ParameterError({"name": f"datastore '{name}' already exists."})
        if not self.config.is_local_directory:
            raise UnsupportedError("only datastores in local directories are supported by this version")
        if not path.is_absolute():
            raise ParameterError({"path": f"expected an absolute path, '{path}' is not"})
        check_path(path, [other.path for other in cfg.datastores.values() if other.is_local_directory])
        if not self.reuse:
            check_empty(path)

    def set_up(self, roots: Roots, now: int, log: Log) -> None:
        """Make the directory or check the one to take over, then configure it. Takes seconds.

        The configuration is locked at the very end only, so that others can change it meanwhile. What a failure
        leaves half-made is removed again; a directory that was to be taken over is not touched.

        Raises:
            DatastoreError: it cannot be made or taken over, or access times are not kept there.
            ParameterError: somebody else made one of that name meanwhile.
            ConfigError, LockedError: the configuration cannot be changed.
        """
        path = self.config.path
        existed = path.is_dir()
        self.check(DatastoreFile(roots).load())
        if self.reuse:
            log(f"checking the existing datastore in {path}")
            check_adoptable(path)
        else:
            create_datastore(path, [], log=log)
        try:
            self._check_access_time(log)
            self._configure(roots)
        except BaseException:
            if not self.reuse:
                undo_creation(path, existed=existed)
            raise
        start_job_anew(roots, GARBAGE_COLLECTION, self.config.name, now)
        if self.prune_schedule is not None:
            add_default_prune_job(roots, self.config.name, self.prune_schedule, self.keep)

    def _check_access_time(self, log: Log) -> None:
        if not self.config.tuning.gc_atime_safety_check:
            log("Access time update check disabled by datastore tuning options.")
            return
        path = self.config.path
        try:
            check_access_time(path, ChunkStore(path))
        except OSError as error:
            raise DatastoreError(f"access time safety check failed: {error.filename}: {error.strerror}") from error
        log("Access time update check successful.")

    def _configure(self, roots: Roots) -> None:
        with DatastoreFile(roots).edit() as edit:
            others = [other.path for other in edit.current.datastores.values() if other.is_local_directory]
            if self.config.name in edit.current.datastores:
                raise ParameterError({"name": f"datastore '{self.config.name}' already exists."})
            check_path(self.config.path, others)
            edit.put(self.config)
