"""A storage host in a directory of the test's own."""

from pathlib import Path

from pbstore.config.roots import Roots
from pbstore.pve.host import Host
from pbstore.pve.storage.changes import StorageChanges
from pbstore.pve.storage.storage import Storage
from pbstore.pve.storage.storage_cfg import LoadedStorages, StorageFile


class StorageSite:
    """A host; `activated` are the storages that were tried, `refusal` is what the next ones fail with."""

    def __init__(self, directory: Path, node: str = "pve1"):
        self.host = Host(Roots.below(directory), node)
        self.host.roots.pve_dir.mkdir(parents=True, exist_ok=True)
        self.activated: list[str] = []
        self.warnings: list[str] = []
        self.refusal: Exception | None = None

    @property
    def changes(self) -> StorageChanges:
        return StorageChanges(self.host, self._activate, self.warnings.append)

    @property
    def text(self) -> str:
        return self.host.storage_cfg.read_bytes().decode()

    @property
    def secret_files(self) -> dict[str, str]:
        """Content by name."""
        directory = self.host.secrets_dir
        return {path.name: path.read_text() for path in directory.iterdir()} if directory.is_dir() else {}

    def write(self, content: str) -> None:
        self.host.storage_cfg.write_bytes(content.encode())

    def load(self, content: str | None = None) -> LoadedStorages:
        if content is not None:
            self.write(content)
        return StorageFile(self.host).load()

    def storage(self, storage_id: str) -> Storage:
        return self.load().storages[storage_id]

    def _activate(self, storage: Storage) -> None:
        self.activated.append(storage.storage_id)
        if self.refusal is not None:
            raise self.refusal
