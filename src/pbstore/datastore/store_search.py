"""Datastores in a directory tree, recognised by their layout (datastore-layout.md 1)."""

from collections.abc import Callable
from pathlib import Path

from pbstore.datastore.directory_walk import walk_directories
from pbstore.errors import DatastoreError


def find_datastores(root: Path, warn: Callable[[str], None]) -> list[Path]:
    """Return the paths of all datastores below `root`, relative to it; `.` is `root` itself.

    A datastore is a directory with a directory `.chunks` and a file `.lock`; none lies within another. Other mounted
    file systems are left out. What cannot be read is warned of.

    Raises:
        DatastoreError: `root` itself cannot be read.
    """

    def failed(error: OSError) -> None:
        if Path(error.filename) == root:
            raise DatastoreError(f"cannot read {root}: {error.strerror}") from error
        warn(f"{Path(error.filename).relative_to(root)}: {error.strerror}")

    found = []
    device = root.stat().st_dev
    for path, directories, others in walk_directories(root, failed):
        if ".chunks" in directories and ".lock" in others:
            found.append(path.relative_to(root))
            directories.clear()
        directories[:] = [name for name in directories if name != ".chunks" and _is_on(device, path / name)]
    return found


def _is_on(device: int, path: Path) -> bool:
    try:
        return path.lstat().st_dev == device
    except OSError:
        return False
