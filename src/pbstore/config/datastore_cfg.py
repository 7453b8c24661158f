"""`datastore.cfg`: which datastores there are (datastore-layout.md 8)."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from pbstore.config.config_file import ConfigFile
from pbstore.config.file_kind import FileKind
from pbstore.config.maintenance_mode import MaintenanceMode
from pbstore.config.property_string import parse_property_string
from pbstore.config.roots import Roots
from pbstore.config.section_config import ConfigWarning
from pbstore.config.section_schema import SectionSchema, Value, ValueKind
from pbstore.config.section_store import LoadedSections, SectionEdit, SectionStore
from pbstore.config.tuning import Tuning
from pbstore.errors import ConfigError, FormatError
from pbstore.model.names import check_datastore_name

_TEXT_KEYS = (
    "path",
    "comment",
    "gc-schedule",
    "prune-schedule",
    "notify-user",
    "notify",
    "notification-mode",
    "tuning",
    "maintenance-mode",
    "backing-device",
    "backend",
    "notification-thresholds",
    "counter-reset-schedule",
)
_KEEP_KEYS = tuple(f"keep-{period}" for period in ("last", "hourly", "daily", "weekly", "monthly", "yearly"))
SCHEMA = SectionSchema(
    "datastore",
    {
        **dict.fromkeys(_TEXT_KEYS, ValueKind.TEXT),
        **dict.fromkeys(_KEEP_KEYS, ValueKind.INTEGER),
        "verify-new": ValueKind.BOOLEAN,
        "gc-on-unmount": ValueKind.BOOLEAN,
    },
    frozenset({"path"}),
)


@dataclass(frozen=True)
class DatastoreConfig:
    """One datastore; `values` has every key by its wire name, `path` included."""

    name: str
    values: Mapping[str, Value] = field(hash=False)

    def __post_init__(self) -> None:
        check_datastore_name(self.name)
        self.tuning  # noqa: B018 - a value that cannot be read is refused here and not at first use
        self.maintenance_mode  # noqa: B018
        self.backend_type  # noqa: B018

    @property
    def path(self) -> Path:
        """The store's directory; relative to the device if it is removable."""
        return Path(str(self.values["path"]))

    @property
    def comment(self) -> str | None:
        """One line for people."""
        return self._text("comment")

    @property
    def gc_schedule(self) -> str | None:
        """Calendar event of the garbage collection."""
        return self._text("gc-schedule")

    @property
    def verify_new(self) -> bool:
        """Whether new snapshots are verified at once."""
        return bool(self.values.get("verify-new", False))

    @property
    def is_removable(self) -> bool:
        """Whether the store lies on a device that comes and goes."""
        return "backing-device" in self.values

    @property
    def is_local_directory(self) -> bool:
        """Whether the store is neither on a device that comes and goes nor in object storage."""
        return not self.is_removable and self.backend_type == "filesystem"

    @property
    def backend_type(self) -> str:
        """`filesystem` or `s3`."""
        text = self._text("backend")
        return "filesystem" if text is None else parse_property_string(text, default_key="type").get("type", "")

    @property
    def tuning(self) -> Tuning:
        """Parsed `tuning`."""
        return Tuning.parse(self._text("tuning") or "")

    @property
    def maintenance_mode(self) -> MaintenanceMode | None:
        """Parsed `maintenance-mode`."""
        text = self._text("maintenance-mode")
        return MaintenanceMode.parse(text) if text else None

    def changed(self, values: Mapping[str, Value | None]) -> "DatastoreConfig":
        """Return a copy with other values; None takes a key out."""
        merged: dict[str, Value | None] = {**self.values, **values}
        return DatastoreConfig(self.name, {key: value for key, value in merged.items() if value is not None})

    def _text(self, key: str) -> str | None:
        value = self.values.get(key)
        return None if value is None else str(value)


@dataclass(frozen=True)
class DatastoreCfg:
    """The whole file."""

    datastores: Mapping[str, DatastoreConfig]
    digest: str
    warnings: tuple[ConfigWarning, ...] = ()

    def get(self, name: str) -> DatastoreConfig:
        """Return the datastore of that name.

        Raises:
            ConfigError: there is none.
        """
        config = self.datastores.get(name)
        if config is None:
            raise ConfigError(f"no such datastore '{name}'")
        return config


class DatastoreEdit:
    """Changes under the file's lock."""

    def __init__(self, current: DatastoreCfg, edit: SectionEdit):
        self.current = current
        self._edit = edit

    def put(self, config: DatastoreConfig) -> None:
        """Add or replace a datastore."""
        self._edit.put("datastore", config.name, config.values)

    def remove(self, name: str) -> None:
        """Take a datastore out.

        Raises:
            ConfigError: there is none of that name.
        """
        self.current.get(name)
        self._edit.remove(name)


class DatastoreFile:
    """The file on disk."""

    def __init__(self, roots: Roots):
        self._store = SectionStore(ConfigFile(roots.config_dir / "datastore.cfg", FileKind.CONFIG), [SCHEMA])

    def load(self) -> DatastoreCfg:
        """Read the file.

        Raises:
            ConfigError: it cannot be used.
        """
        return _typed(self._store.load())

    @contextmanager
    def edit(self, digest: str | None = None) -> Iterator[DatastoreEdit]:
        """Lock the file and yield its edit; written when the block ends without an exception.

        Raises:
            ConfigError: the digest is not that of the file, or the file cannot be used.
            LockedError: somebody else changes it.
        """
        with self._store.edit(digest) as (loaded, edit):
            yield DatastoreEdit(_typed(loaded), edit)


def _typed(loaded: LoadedSections) -> DatastoreCfg:
    datastores = {}
    for section in loaded.sections:
        try:
            datastores[section.section_id] = DatastoreConfig(section.section_id, section.values)
        except FormatError as error:
            raise ConfigError(f"{section.where}: {error}") from None
    return DatastoreCfg(datastores, loaded.digest, loaded.warnings)
