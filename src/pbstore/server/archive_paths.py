"""Paths in archives as requests have them: base64, as names may be any bytes (catalog.md 4, rest-api.md 5)."""

import base64
import binascii

from pbstore.api.schema import Boolean, Parameter, String
from pbstore.errors import DatastoreError, FormatError
from pbstore.model.archive_name import server_file_name

FILEPATH = Parameter(name="filepath", schema=String(description="path in the snapshot or archive, in base64"))
ARCHIVE_NAME = Parameter(
    name="archive-name",
    schema=String(description="archive that the path is in", maximum_length=255, convert=server_file_name),
    optional=True,
)
TAR = Parameter(
    name="tar",
    schema=Boolean(description="download a directory as compressed tar file instead of zip"),
    optional=True,
    default=False,
)
_ROOTS = ("root", "/")


def decoded_path(filepath: str) -> bytes:
    """Return the path.

    Raises:
        FormatError: it is no base64.
    """
    try:
        path = base64.b64decode(filepath, validate=True)
    except (binascii.Error, ValueError):
        path = None
    if path is None or base64.b64encode(path).decode() != filepath:
        raise FormatError("base64 decoding of path failed - error decoding base64 data")
    return path


def directory_path(filepath: str) -> bytes:
    """Return the path of a directory; the root has two more names, which are not encoded.

    Raises:
        FormatError: it is no base64.
    """
    return b"/" if filepath in _ROOTS else decoded_path(filepath)


def split_archive(path: bytes) -> tuple[str, bytes]:
    """Split a path that begins with the name of the archive's file: `/root.pxar.didx/etc` -> `root.pxar.didx`, `etc`.

    The archive's root is `/`; a slash at the end of its name is refused, as by the original.

    Raises:
        DatastoreError: the name cannot be that of an archive.
    """
    name, slash, rest = path.removeprefix(b"/").partition(b"/")
    try:
        return server_file_name(name.decode("ascii")), rest if slash else b"/"
    except (UnicodeDecodeError, FormatError):
        raise DatastoreError("the path does not begin with the name of an archive, as in /root.pxar.didx/etc") from None


def names_of(path: bytes) -> list[bytes]:
    """Return the components of a path."""
    return [name for name in path.split(b"/") if name]
