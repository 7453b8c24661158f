"""What can be done with a storage, whatever its type. What a type does not do says so in the original's words.

`name` is the part of a volume id behind the colon.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import NoReturn

from pbstore.errors import PbstoreError
from pbstore.pve.host import Host
from pbstore.pve.storage.retention import Retention
from pbstore.pve.storage.storage import Storage
from pbstore.pve.storage.volume_info import PruneVerdict, Usage, VolumeEntry, VolumeSize

Log = Callable[[str], None]


class StoragePlugin(ABC):
    """One storage on one host. `log` takes lines for whoever watches."""

    def __init__(self, host: Host, storage: Storage, log: Log):
        self.host = host
        self.storage = storage
        self.log = log

    @abstractmethod
    def activate(self) -> None:
        """Return if the storage can be used now.

        Raises:
            PbstoreError: it cannot.
        """

    @abstractmethod
    def usage(self) -> Usage:
        """How full it is."""

    @abstractmethod
    def volumes(self, content: Sequence[str], vmid: int | None = None) -> list[VolumeEntry]:
        """The volumes of some content types, or those of one guest."""

    @abstractmethod
    def path(self, name: str) -> str:
        """Where a volume is; for what is no file, an address that people understand."""

    @abstractmethod
    def vmid(self, name: str) -> int | None:
        """The guest that a volume belongs to."""

    @abstractmethod
    def content_type(self, name: str) -> str:
        """What a volume is."""

    @abstractmethod
    def free(self, name: str) -> None:
        """Remove a volume for good."""

    @abstractmethod
    def size(self, name: str) -> VolumeSize:
        """How large a volume is."""

    def activation_warnings(self) -> list[str]:
        """What is wrong with a storage although it can be used."""
        return []

    def allocate(self, vmid: int, file_name: str | None, size_kib: int, image_format: str | None) -> str:
        """Make an image for a guest; the name of the new volume."""
        self._refuse(f"can't allocate space in {self._type} storage")

    def clone_image(self, name: str, vmid: int, snapshot: str | None = None) -> str:
        """Make a linked clone; its name."""
        self._refuse(f"can't clone images in {self._type} storage")

    def create_base(self, name: str) -> str:
        """Turn an image into the base of linked clones; its new name."""
        self._refuse(f"can't create base images in {self._type} storage")

    def snapshot(self, name: str, snapshot: str) -> None:
        """Make a snapshot of a volume."""
        self._refuse(f"volume snapshot is not possible on {self._type} device")

    def rollback(self, name: str, snapshot: str) -> None:
        """Go back to a snapshot of a volume."""
        self._refuse(f"volume snapshot rollback is not possible on {self._type} device")

    def delete_snapshot(self, name: str, snapshot: str) -> None:
        """Remove a snapshot of a volume."""
        self._refuse(f"volume snapshot delete is not possible on {self._type} device")

    def resize(self, name: str, size_bytes: int) -> None:
        """Give a volume another size."""
        self._refuse(f"volume resize is not possible on {self._type} device")

    def snapshot_path(self, name: str, snapshot: str) -> str:
        """Where a snapshot of a volume is."""
        self._refuse(f"volume snapshot is not possible on {self._type} storage")

    def attribute(self, name: str, attribute: str) -> object:
        """`notes` or `protected` of a volume."""
        self._refuse_attribute(attribute)

    def set_attribute(self, name: str, attribute: str, value: object, *, protected_limit: int = -1) -> None:
        """Change `notes` or `protected`. `protected_limit` is how many backups of a guest the caller may protect.

        It only counts where the storage sets no limit; -1 is none.
        """
        self._refuse_attribute(attribute)

    def extract_config(self, name: str) -> str:
        """The guest's configuration in a backup."""
        self._refuse(f"unable to extract a configuration from {self._type} storage")

    def prune(
        self, keep: Retention, vmid: int | None = None, subtype: str | None = None, *, dry_run: bool
    ) -> list[PruneVerdict]:
        """Remove the backups that `keep` does not keep, of all guests or of some; `subtype` is `qemu` or `lxc`."""
        self._refuse(f"unable to prune backups in {self._type} storage")

    def identity(self) -> str:
        """An id of what the storage stands for, the same whatever it is called."""
        self._refuse(f"{self._type} storages have no identity")

    @property
    def _type(self) -> str:
        return self.storage.storage_type.name

    def _refuse(self, text: str) -> NoReturn:
        raise PbstoreError(text)

    def _refuse_attribute(self, attribute: str) -> NoReturn:
        self._refuse(f"attribute '{attribute}' is not supported for storage type '{self._type}'")
