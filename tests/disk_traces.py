"""What a program may leave on disk: locks that somebody holds, files under temporary names."""

import fcntl
import os
from pathlib import Path


def held_locks(directory: Path) -> list[Path]:
    """The lock files below a directory that somebody holds."""
    found = []
    for path in directory.rglob("*"):
        if path.is_file():
            with path.open() as file:
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    found.append(path)
    return found


def temporary_files(*directories: Path) -> list[Path]:
    """Files that only exist while something is written; not among chunks, which lie in too many directories."""
    found = []
    for directory in directories:
        for place, inner, names in os.walk(directory):
            inner[:] = [name for name in inner if name != ".chunks"]
            found += [Path(place) / name for name in names if ".tmp_" in name]
    return found
