"""Making directories with owner and mode, all the way down."""

import contextlib
import os
from pathlib import Path


def make_directory(path: Path, *, mode: int = 0o755, owner: tuple[int, int] | None = None) -> None:
    """Make `path` and what is missing above it; only directories made here get `mode` and `owner` (uid, gid).

    Parents get 0755. An existing `path` is left as it is.

    Raises:
        OSError: it cannot be made, or is no directory; what was made on the way to it is removed.
    """
    missing = [path] if not path.is_dir() else []
    for parent in path.parents:
        if not missing or parent.is_dir():
            break
        missing.append(parent)
    made: list[Path] = []
    try:
        for directory in reversed(missing):
            try:
                directory.mkdir()
            except FileExistsError:
                if directory.is_dir():
                    continue
                raise
            made.append(directory)
            directory.chmod(mode if directory == path else 0o755)
            if owner is not None:
                os.chown(directory, *owner)
    except OSError:
        with contextlib.suppress(OSError):
            for directory in reversed(made):
                directory.rmdir()
        raise
