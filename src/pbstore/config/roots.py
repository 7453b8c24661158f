"""Where the product's files lie, and how all of it moves below one directory."""

from dataclasses import dataclass
from pathlib import Path
from typing import Self

from pbstore.config.file_kind import service_owner
from pbstore.config.make_directory import make_directory

PRODUCT = "proxmox-backup"


@dataclass(frozen=True)
class Roots:
    """The absolute product paths below `base`; `pve` replaces the host's `/etc/pve`, which several hosts may share."""

    base: Path
    pve: Path | None = None

    @classmethod
    def system(cls) -> Self:
        """The original's paths (config-files.md 1)."""
        return cls(Path("/"))

    @classmethod
    def below(cls, directory: Path, *, pve: Path | None = None) -> Self:
        """The same paths with `directory` in front."""
        return cls(directory.absolute(), pve)

    @property
    def config_dir(self) -> Path:
        """`/etc/proxmox-backup`."""
        return self.base / "etc" / PRODUCT

    @property
    def pve_dir(self) -> Path:
        """`/etc/pve`."""
        return self.pve or self.base / "etc" / "pve"

    @property
    def log_dir(self) -> Path:
        """`/var/log/proxmox-backup`."""
        return self.base / "var/log" / PRODUCT

    @property
    def state_dir(self) -> Path:
        """`/var/lib/proxmox-backup`."""
        return self.base / "var/lib" / PRODUCT

    @property
    def cache_dir(self) -> Path:
        """`/var/cache/proxmox-backup`."""
        return self.base / "var/cache" / PRODUCT

    @property
    def run_dir(self) -> Path:
        """`/run/proxmox-backup`."""
        return self.base / "run" / PRODUCT

    @property
    def tasks_dir(self) -> Path:
        """Task logs and their index."""
        return self.log_dir / "tasks"

    @property
    def locks_dir(self) -> Path:
        """Lock files of groups, snapshots and manifests, a directory a datastore."""
        return self.run_dir / "locks"

    @property
    def operations_dir(self) -> Path:
        """How many operations run on each datastore."""
        return self.run_dir / "active-operations"

    @property
    def mounts_dir(self) -> Path:
        """Where datastores on devices that come and go are mounted."""
        return self.base / "mnt/datastore"

    @property
    def access_log(self) -> Path:
        """One line a request."""
        return self.log_dir / "api" / "access.log"

    @property
    def auth_log(self) -> Path:
        """One line a login or failure."""
        return self.log_dir / "api" / "auth.log"

    @property
    def control_socket(self) -> Path:
        """Where the server takes commands from the manager program."""
        return self.run_dir / "control.sock"

    @property
    def certificate(self) -> Path:
        """The server's certificate chain."""
        return self.config_dir / "proxy.pem"

    @property
    def certificate_key(self) -> Path:
        """The private key of `certificate`."""
        return self.config_dir / "proxy.key"

    @property
    def own_directories(self) -> tuple[Path, ...]:
        """The directories that `prepare` makes, which belong to the user that the server runs as."""
        readable = (self.tasks_dir, self.auth_log.parent, self.state_dir, self.cache_dir, self.locks_dir)
        return (self.config_dir, *readable)

    def prepare(self) -> None:
        """Make the directories that are missing, with the original's owner and modes.

        Raises:
            OSError: one cannot be made.
        """
        owner = service_owner()
        for path in self.own_directories:
            make_directory(path, mode=0o700 if path == self.config_dir else 0o755, owner=owner)
