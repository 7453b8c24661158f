"""Names in the directories of a datastore, one after the other."""

import os
from collections.abc import Iterator
from pathlib import Path


def subdirectory_names(path: Path) -> Iterator[str]:
    """Yield the names of the directories in `path`; none if it does not exist."""
    try:
        entries = os.scandir(path)
    except FileNotFoundError:
        return
    with entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                yield entry.name
