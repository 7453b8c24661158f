"""A storage host: its name in the cluster, and where the configuration lies that all hosts of the cluster share."""

import grp
import os
from dataclasses import dataclass
from pathlib import Path

from pbstore.config.atomic_file import replace_file
from pbstore.config.make_directory import make_directory
from pbstore.config.roots import Roots
from pbstore.errors import ConfigError

MAX_FILE_BYTES = 1 << 20
"""What the original's cluster file system takes (pve-access-and-guests.md 0)."""
_GROUP = "www-data"


@dataclass(frozen=True)
class Host:
    """One node. Several nodes may have the same `roots.pve_dir`."""

    roots: Roots
    node: str

    @property
    def storage_cfg(self) -> Path:
        """The storages of all nodes."""
        return self.roots.pve_dir / "storage.cfg"

    @property
    def user_cfg(self) -> Path:
        """Users, rights and pools."""
        return self.roots.pve_dir / "user.cfg"

    @property
    def secrets_dir(self) -> Path:
        """Passwords and keys of storages."""
        return self.roots.pve_dir / "priv" / "storage"

    @property
    def locks_dir(self) -> Path:
        """Locks that hold on all nodes."""
        return self.roots.pve_dir / "priv" / "lock"

    @property
    def local_path(self) -> Path:
        """What the storage `local` is."""
        return self.roots.base / "var/lib/vz"

    def make_private(self, directory: Path) -> None:
        """Make a directory at or below `priv` that only root may enter.

        Raises:
            ConfigError: it cannot be made.
        """
        try:
            make_directory(self.roots.pve_dir, owner=_shared_owner())
            for path in (self.roots.pve_dir / "priv", directory):
                make_directory(path, mode=0o700)
        except OSError as error:
            raise ConfigError(f"cannot make {error.filename}: {error.strerror}") from None


def read_shared(path: Path) -> bytes:
    """Return the content of a file that all nodes share; a missing file is an empty one.

    Raises:
        ConfigError: it cannot be read, or is too large for a configuration file.
    """
    try:
        with path.open("rb") as file:
            content = file.read(MAX_FILE_BYTES + 1)
    except FileNotFoundError:
        return b""
    except OSError as error:
        raise ConfigError(f"cannot read {path}: {error.strerror}") from None
    if len(content) > MAX_FILE_BYTES:
        raise ConfigError(f"{path}: larger than {MAX_FILE_BYTES >> 10} KiB")
    return content


def replace_shared(path: Path, content: bytes) -> None:
    """Write a file that all nodes share; its lock is held.

    Raises:
        ConfigError: it cannot be written.
    """
    try:
        replace_file(path, content, mode=0o640, owner=_shared_owner())
    except OSError as error:
        raise ConfigError(f"cannot write {path}: {error.strerror}") from None


def _shared_owner() -> tuple[int, int] | None:
    """The original's owner and group, if this is root and there is such a group."""
    if os.geteuid() != 0:
        return None
    try:
        return 0, grp.getgrnam(_GROUP).gr_gid
    except KeyError:
        return 0, 0
