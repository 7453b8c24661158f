"""Write a file so that readers, and a crash, see the old or the new content and never a part."""

import os
import tempfile
from pathlib import Path


def replace_file(
    path: Path, content: bytes, *, mode: int, owner: tuple[int, int] | None = None, durable: bool = True
) -> None:
    """Write a temporary file beside `path` and rename it over `path`.

    `owner` is (uid, gid); `durable` syncs the file before and the directory after the rename.

    Raises:
        OSError: it cannot be written; `path` is untouched.
    """
    temporary = _write_temporary(path, content, mode, owner, durable)
    try:
        temporary.replace(path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise
    if durable:
        sync_directory(path.parent)


def create_file(path: Path, content: bytes, *, mode: int, owner: tuple[int, int] | None = None) -> bool:
    """Like `replace_file`, but leave an existing file alone; return whether it was made here.

    Of several processes exactly one gets True, and none of them ever sees a part of the content.

    Raises:
        OSError: it cannot be written.
    """
    temporary = _write_temporary(path, content, mode, owner, durable=True)
    try:
        path.hardlink_to(temporary)
    except FileExistsError:
        return False
    finally:
        temporary.unlink(missing_ok=True)
    sync_directory(path.parent)
    return True


def sync_directory(path: Path) -> None:
    """Make the names in a directory durable."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _write_temporary(path: Path, content: bytes, mode: int, owner: tuple[int, int] | None, durable: bool) -> Path:
    descriptor, name = tempfile.mkstemp(prefix=f"{path.name}.tmp_", dir=path.parent)
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            if owner is not None:
                os.fchown(file.fileno(), *owner)
            os.fchmod(file.fileno(), mode)
            file.write(content)
            if durable:
                file.flush()
                os.fsync(file.fileno())
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    return temporary
