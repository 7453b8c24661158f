"""Where the client keeps its files: the XDG folders, never a product root (keys.md 2, protocol-transport.md 2)."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pbstore.errors import ConfigError

_FOLDER = "proxmox-backup"
ENCRYPTION_KEY = "encryption-key.json"
MASTER_PUBLIC_KEY = "master-public.pem"


@dataclass(frozen=True, kw_only=True)
class ClientPlaces:
    """Base folders; the runtime folder is None when there is none."""

    config_home: Path
    config_folders: tuple[Path, ...] = ()
    cache_home: Path
    runtime: Path | None = None

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "ClientPlaces":
        """Read the XDG variables of a mapping; relative values are ignored, as the XDG specification wants."""
        home = Path(environment.get("HOME") or "/")
        folders = (environment.get("XDG_CONFIG_DIRS") or "/etc/xdg").split(":")
        runtime = _absolute(environment.get("XDG_RUNTIME_DIR"))
        return cls(
            config_home=_absolute(environment.get("XDG_CONFIG_HOME")) or home / ".config",
            config_folders=tuple(path for folder in folders if (path := _absolute(folder)) is not None),
            cache_home=_absolute(environment.get("XDG_CACHE_HOME")) or home / ".cache",
            runtime=runtime,
        )

    def find_config(self, name: str) -> Path | None:
        """The configuration file of that name, in the own folder or a system-wide one; None when absent."""
        candidates = (folder / _FOLDER / name for folder in (self.config_home, *self.config_folders))
        return next((path for path in candidates if path.exists()), None)

    def place_config(self, name: str) -> Path:
        """Where a configuration file of that name is written; the folders are made."""
        path = self.config_home / _FOLDER / name
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def place_cache(self, name: str) -> Path:
        """Where a file is written that may be lost; the folders are made."""
        path = self.cache_home / _FOLDER / name
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def place_runtime(self, name: str) -> Path | None:
        """Where a file of this login session is kept; the folder is made. None without a runtime folder.

        Raises:
            ConfigError: others can reach into the runtime folder.
        """
        if self.runtime is None or not self.runtime.is_dir():
            return None
        if self.runtime.stat().st_mode & 0o777 != 0o700:
            raise ConfigError(f"XDG_RUNTIME_DIR '{self.runtime}' must have mode 0700, because tickets are kept there")
        folder = self.runtime / _FOLDER
        folder.mkdir(mode=0o700, exist_ok=True)
        return folder / name


def _absolute(text: str | None) -> Path | None:
    path = Path(text) if text else None
    return path if path is not None and path.is_absolute() else None
