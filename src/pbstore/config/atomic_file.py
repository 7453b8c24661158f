"""Write a file so that readers, and a crash, see the old or the new content and never a part."""

import glob
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_INFIX = ".tmp_"


def replace_file(
    path: Path, content: bytes, *, mode: int, owner: tuple[int, int] | None = None, durable: bool = True
) -> None:
    """Write a temporary file beside `path` and rename it over `path`.

    `owner` is (uid, gid); `durable` syncs the file before and the directory after the rename.

    Raises:
        OSError: it cannot be written, and names `path`. `path` is untouched, unless it is the last sync that failed.
    """
    with _named(path):
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
        OSError: it cannot be written, and names `path`.
    """
    with _named(path):
        temporary = _write_temporary(path, content, mode, owner, durable=True)
        try:
            path.hardlink_to(temporary)
        except FileExistsError:
            return False
        finally:
            temporary.unlink(missing_ok=True)
        sync_directory(path.parent)
        return True


def remove_temporary_files(path: Path) -> None:
    """Remove what killed processes left beside `path`; the caller holds the lock that everybody takes who writes it.

    Raises:
        OSError: the system refuses.
    """
    for temporary in path.parent.glob(f"{glob.escape(path.name)}{_INFIX}*"):
        temporary.unlink(missing_ok=True)


def sync_directory(path: Path) -> None:
    """Make the names in a directory durable."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _named(path: Path) -> Iterator[None]:
    """Let errors of the system name the file that is meant, not the temporary one or none at all."""
    try:
        yield
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from error


def _write_temporary(path: Path, content: bytes, mode: int, owner: tuple[int, int] | None, durable: bool) -> Path:
    descriptor, name = tempfile.mkstemp(prefix=f"{path.name}{_INFIX}", dir=path.parent)
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
