"""A walk over directories that no depth can exhaust."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path


def walk_directories(root: Path, failed: Callable[[OSError], None]) -> Iterator[tuple[Path, list[str], list[str]]]:
    """Yield each directory with the sorted names of its directories and other entries, parents first.

    Names taken out of the first list are not descended into. Symlinks are never followed below `root`; what cannot be
    read goes to `failed`.
    """
    pending = [root]
    while pending:
        path = pending.pop()
        directories: list[str] = []
        others: list[str] = []
        try:
            with os.scandir(path) as entries:
                for entry in entries:
                    names = directories if entry.is_dir(follow_symlinks=False) else others
                    names.append(entry.name)
        except OSError as error:
            failed(error)
            continue
        directories.sort()
        others.sort()
        yield path, directories, others
        pending += [path / name for name in reversed(directories)]
