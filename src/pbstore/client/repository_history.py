"""Repositories that were used, and how often, for completion: `repo-list`, a JSON object (cli-client.md 1)."""

import json
from pathlib import Path

from pbstore.client.replace_file import replace_file

MAX_ENTRIES = 10


class RepositoryHistory:
    """The file, which the original's client shares; what is no count in it is ignored."""

    def __init__(self, path: Path):
        self._path = path

    def names(self) -> list[str]:
        """The repositories, the most used first."""
        counts = self._load()
        return sorted(counts, key=lambda name: (-counts[name], name))

    def add(self, repository: str) -> None:
        """Count one more use; only the most used ones are kept, and this one."""
        counts = self._load()
        counts[repository] = counts.get(repository, 0) + 1
        others = sorted((name for name in counts if name != repository), key=lambda name: (-counts[name], name))
        kept = {name: counts[name] for name in (repository, *others[: MAX_ENTRIES - 1])}
        replace_file(self._path, json.dumps(kept).encode())

    def _load(self) -> dict[str, int]:
        try:
            content = json.loads(self._path.read_bytes())
        except (FileNotFoundError, ValueError, RecursionError):
            return {}
        if not isinstance(content, dict):
            return {}
        return {name: count for name, count in content.items() if isinstance(count, int) and count > 0}
