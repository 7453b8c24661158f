"""JSON files that map names to hashes of secrets: `shadow.json` and `token.shadow` (auth.md 2)."""

import json
from collections.abc import Iterator
from contextlib import contextmanager

from pbstore.config.config_file import ConfigFile
from pbstore.errors import ConfigError

MAX_FILE_BYTES = 16 << 20


class SecretMap:
    """One such file; `pretty` is its text form."""

    def __init__(self, file: ConfigFile, *, pretty: bool):
        self._file = file
        self._pretty = pretty

    def load(self) -> dict[str, str]:
        """Return the hashes by name.

        Raises:
            ConfigError: the file is no such map; the message tells nothing of its content.
        """
        content = self._file.read()
        try:
            values = json.loads(content) if content.strip() and len(content) <= MAX_FILE_BYTES else {}
        except (ValueError, RecursionError):
            values = None
        if not isinstance(values, dict) or not all(isinstance(value, str) for value in values.values()):
            raise ConfigError(f"{self._file.path}: expected a JSON object of hashes by name")
        return values

    def get(self, name: str) -> str | None:
        """Return the hash of a name, if it has one."""
        return self.load().get(name)

    @contextmanager
    def edit(self) -> Iterator[dict[str, str]]:
        """Lock the file and yield its map to be changed.

        Raises:
            ConfigError: the file cannot be used.
            LockedError: somebody else changes it.
        """
        with self._file.locked():
            before = self.load()
            values = dict(before)
            yield values
            if values != before:
                separators = None if self._pretty else (",", ":")
                text = json.dumps(values, indent=2 if self._pretty else None, separators=separators, ensure_ascii=False)
                self._file.replace(text.encode())

    def stamp(self) -> tuple[int, int, int]:
        """Return what changes whenever the file does: inode, time, size."""
        try:
            status = self._file.path.stat()
        except FileNotFoundError:
            return (0, 0, 0)
        return status.st_ino, status.st_mtime_ns, status.st_size
