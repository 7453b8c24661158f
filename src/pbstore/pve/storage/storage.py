"""One configured storage, as its section says and its type adds."""

from collections.abc import Mapping
from dataclasses import dataclass

from pbstore.pve.storage.properties import NO_CONTENT
from pbstore.pve.storage.types import PBS, TYPES, StorageType
from pbstore.pve.value_types import Value, written


@dataclass(frozen=True)
class Storage:
    """A storage; `values` are those of the section, by wire key. They say nothing that only its type implies."""

    storage_id: str
    storage_type: StorageType
    values: Mapping[str, Value]

    @property
    def content(self) -> tuple[str, ...]:
        """What it may hold, sorted."""
        words = self.values.get("content", self.storage_type.default_content)
        return tuple(word for word in words if word != NO_CONTENT) if isinstance(words, tuple) else ()

    @property
    def nodes(self) -> tuple[str, ...]:
        """The nodes that it is for; none means all."""
        nodes = self.values.get("nodes", ())
        return nodes if isinstance(nodes, tuple) else ()

    @property
    def is_disabled(self) -> bool:
        """Whether it was switched off."""
        return bool(self.values.get("disable", False))

    @property
    def is_shared(self) -> bool:
        """Whether every node sees the same content."""
        return self.storage_type.always_shared or bool(self.values.get("shared", False))

    def is_enabled_on(self, node: str) -> bool:
        """Whether a node may use it."""
        return not self.is_disabled and (not self.nodes or node in self.nodes)

    def text(self, key: str) -> str | None:
        """A value as text."""
        value = self.values.get(key)
        return None if value is None else written(value)

    def number(self, key: str) -> int | None:
        """A value that is a number."""
        value = self.values.get(key)
        return value if isinstance(value, int) else None

    def describe(self, digest: str) -> dict[str, object]:
        """The configuration as the API shows it (pve-api.md 2)."""
        shown: dict[str, object] = {
            key: int(value) if isinstance(value, int) else written(value) for key, value in self.values.items()
        }
        shown["content"] = ",".join(self.content) or NO_CONTENT
        if self.is_shared:
            shown["shared"] = 1
        return {
            **shown,
            "storage": self.storage_id,
            "type": self.storage_type.name,
            "digest": digest,
        }


def local_storage(path: str) -> Storage:
    """The storage that every host has."""
    values: dict[str, Value] = {
        "path": path,
        "content": ("backup", "images", "iso", "rootdir", "snippets", "vztmpl"),
        "prune-backups": "keep-all=1",
    }
    return Storage("local", TYPES["dir"], values)


def is_backup_server(storage: Storage) -> bool:
    """Whether it is a datastore on a backup server."""
    return storage.storage_type is PBS
