"""`storage.cfg`: the storages of all nodes of a cluster (pve-storage.md 1).

What nobody changes keeps its bytes, whatever it is. A section that is changed is written in the original's order and
keeps its comments and the lines that mean nothing here.
"""

import hashlib
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from pbstore.config.config_file import check_digest
from pbstore.pve.cluster_lock import file_lock
from pbstore.pve.host import Host, read_shared, replace_shared
from pbstore.pve.section_text import SectionLines, SectionText, check_writable
from pbstore.pve.storage.section_reader import read_section
from pbstore.pve.storage.storage import Storage, local_storage
from pbstore.pve.value_types import written

LOCAL = "local"
_LOCAL_PATH = "/var/lib/vz"


@dataclass(frozen=True)
class LoadedStorages:
    """All storages that can be used, by id; `digest` is that of the file."""

    storages: Mapping[str, Storage]
    digest: str
    warnings: tuple[str, ...]


class StorageEdit:
    """Changes to the file while its lock is held; `loaded` is what was there before."""

    def __init__(self, host: Host, content: bytes):
        self._lines = SectionLines.parse(content, host.storage_cfg.name)
        self._sections: dict[str, list[SectionText]] = {}
        self._undo: list[Callable[[], None]] = []
        warnings = self._lines.warnings
        storages: dict[str, Storage] = {}
        for section in self._lines.sections:
            storage = read_section(section, self._lines.name, warnings.append)
            if storage is not None:
                storages[storage.storage_id] = storage
                self._sections.setdefault(storage.storage_id, []).append(section)
        storages[LOCAL] = _local(host, storages.get(LOCAL))
        self.loaded = LoadedStorages(storages, hashlib.sha1(content, usedforsecurity=False).hexdigest(), (*warnings,))

    def on_failure(self, undo: Callable[[], None]) -> None:
        """Have `undo` called, while the lock is still held, if the file is not written in the end."""
        self._undo.append(undo)

    def failed(self) -> None:
        """Undo what was done beside the file."""
        for undo in self._undo:
            undo()

    def put(self, storage: Storage, dropped: Collection[str] = ()) -> None:
        """Add a storage, or give it other values; lines about `dropped` properties go, even those without a meaning.

        Raises:
            ConfigError: a value that does not fit on a line.
        """
        lines = _section_lines(storage)
        old = self._sections.get(storage.storage_id, [])
        if not old or old[-1].section_type != storage.storage_type.name:
            self.remove(storage.storage_id)
            self._lines.append(storage.storage_type.name, storage.storage_id, lines)
            return
        before = self.loaded.storages[storage.storage_id]
        if dict(before.values) != dict(storage.values) or dropped:
            self._lines.replace(old[-1], _with_kept(old[-1], lines, before, {*storage.values, *dropped}))

    def remove(self, storage_id: str) -> None:
        """Take a storage out, with the sections that a later one of the same id has replaced."""
        for section in self._sections.pop(storage_id, []):
            self._lines.remove(section)

    def render(self) -> bytes:
        """The file's content."""
        return self._lines.render()


class StorageFile:
    """The file of a host's cluster."""

    def __init__(self, host: Host):
        self._host = host

    def load(self) -> LoadedStorages:
        """Read the file; whatever is wrong in it is a warning.

        Raises:
            ConfigError: it cannot be read.
        """
        return StorageEdit(self._host, read_shared(self._host.storage_cfg)).loaded

    @contextmanager
    def edit(self, digest: str | None = None) -> Iterator[StorageEdit]:
        """Lock the file on all nodes; it is written when the block ends without an exception.

        Raises:
            ConfigError: the digest is not that of the file, or the file cannot be used.
            LockedError: another program holds the lock for too long, or this one has.
        """
        with file_lock(self._host, self._host.storage_cfg.name) as lock:
            content = read_shared(self._host.storage_cfg)
            edit = StorageEdit(self._host, content)
            check_digest(digest, edit.loaded.digest)
            try:
                yield edit
                rendered = edit.render()
                if rendered != content:
                    lock.check()
                    replace_shared(self._host.storage_cfg, rendered)
            except BaseException:
                edit.failed()
                raise


def _local(host: Host, found: Storage | None) -> Storage:
    made = local_storage(str(host.local_path))
    if found is None or found.storage_type is not made.storage_type:
        return made
    if found.text("path") not in (_LOCAL_PATH, str(host.local_path)):
        return made
    return Storage(LOCAL, made.storage_type, {key: value for key, value in found.values.items() if key != "nodes"})


def _section_lines(storage: Storage) -> list[str]:
    required = storage.storage_type.required
    optional = sorted(key for key in storage.values if key not in (*required, "disable"))
    texts = [(key, written(storage.values[key])) for key in (*required, *optional)]
    disabled = ["\tdisable"] if storage.is_disabled else []
    return [*disabled, *(f"\t{key} {check_writable(key, text)}" for key, text in texts if text)]


def _with_kept(section: SectionText, lines: list[str], before: Storage, gone: Collection[str]) -> list[str]:
    """Add the old lines that meant nothing: comments first, properties that are unknown or cannot be read last."""
    understood = {*before.values, *gone, "maxfiles"}
    comments, unknown = [], []
    for line in section.lines:
        text = line.text.removesuffix("\n")
        if line.key is None:
            comments.append(text)
        elif line.key not in understood:
            unknown.append(text)
    return [*comments, *lines, *unknown]
