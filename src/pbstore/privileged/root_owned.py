"""Files that belong to root in the configuration directory, which itself belongs to the server's user.

The directory is held by its descriptor, and a file has to be a plain one with a single name: whatever the server's
user does to the directory, nothing outside it is read or written.
"""

import errno
import os
import re
import stat
from pathlib import Path

from pbstore.config.atomic_file import replace_file
from pbstore.config.file_kind import FileKind
from pbstore.errors import ProtocolError
from pbstore.privileged.message import MAX_CONTENT_BYTES

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
WRITABLE_KINDS = (FileKind.CONFIG, FileKind.SECRET)


class RootOwnedFiles:
    """The files of one directory."""

    def __init__(self, directory: Path):
        self._descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)

    def read(self, name: str) -> bytes:
        """Return the content of a file.

        Raises:
            ProtocolError: no name of such a file.
            OSError: it cannot be read, or is not a plain file with a single name.
        """
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        descriptor = os.open(_checked(name), flags, dir_fd=self._descriptor)
        with os.fdopen(descriptor, "rb") as file:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode) or status.st_nlink != 1:
                raise OSError(errno.EPERM, os.strerror(errno.EPERM))
            content = file.read(MAX_CONTENT_BYTES + 1)
        if len(content) > MAX_CONTENT_BYTES:
            raise OSError(errno.EFBIG, os.strerror(errno.EFBIG))
        return content

    def replace(self, name: str, kind: str, content: bytes) -> None:
        """Replace a file by one of the owner and mode that its kind has.

        Raises:
            ProtocolError: no name of such a file, or no kind that belongs to root.
            OSError: it cannot be written.
        """
        chosen = next((known for known in WRITABLE_KINDS if known.name == kind), None)
        if chosen is None:
            raise ProtocolError("no kind of file that belongs to root")
        path = Path(f"/proc/self/fd/{self._descriptor}") / _checked(name)
        replace_file(path, content, mode=chosen.mode, owner=chosen.owner())


def _checked(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise ProtocolError("no name of a configuration file")
    return name
