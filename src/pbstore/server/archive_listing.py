"""Directories of archives as lists of entries (catalog.md 4)."""

import base64

from pbstore._core import Catalog, CatalogEntry, PxarEntry, StoredTree, quoted_path
from pbstore.api.result import Items, Object, Text, always, perhaps
from pbstore.api.schema import Boolean, Enum, Integer
from pbstore.errors import DatastoreError
from pbstore.server.archive_paths import names_of

ENTRIES = Items(
    description="what is in the directory, in the order of the archive",
    item=Object(
        description="an entry",
        properties=(
            always("filepath", Text(description="path, in base64")),
            always("text", Text(description="name, as far as it is UTF-8")),
            always(
                "type",
                Enum(
                    description="directory, file, symlink, hard link, block or character device, pipe, socket",
                    values=tuple("dflhbcps"),
                ),
            ),
            always("leaf", Boolean(description="whether it is no directory")),
            perhaps("size", Integer(description="of a file, in bytes")),
            perhaps("mtime", Integer(description="of a file, in seconds since 1970", minimum=-(1 << 63))),
        ),
    ),
)


def list_catalog(catalog: Catalog, path: bytes) -> list[dict[str, object]]:
    """List a directory of a catalog, whose root has the archives.

    Raises:
        DatastoreError: it is no directory.
        FormatError: the catalog is damaged.
    """
    entries = catalog.directory(b"/".join(names_of(path)))
    if entries is None:
        raise DatastoreError(f"no directory {quoted_path(path)} in the catalog")
    return [_item(entry, entry.mtime_seconds) for entry in entries]


def list_tree(tree: StoredTree, path: bytes) -> list[dict[str, object]]:
    """List a directory of an archive.

    Raises:
        DatastoreError: it is no directory.
        FormatError: the archive is damaged.
    """
    children = tree.children(path)
    if children is None:
        found = tree.entry(path)
        reason = "error opening '{}'" if found is None else "'{}' is no directory"
        raise DatastoreError("lookup failed - " + reason.format(quoted_path(path)))
    return [_item(child, _whole_seconds(child)) for child in children]


def _whole_seconds(entry: PxarEntry) -> int:
    """Seconds as the original shows them: before 1970 rounded up."""
    return entry.mtime_seconds + (entry.mtime_seconds < 0 and entry.mtime_nanoseconds > 0)


def _item(entry: CatalogEntry | PxarEntry, mtime: int) -> dict[str, object]:
    item: dict[str, object] = {
        "filepath": base64.b64encode(entry.path).decode(),
        "type": entry.kind,
        "text": entry.path.rpartition(b"/")[2].decode(errors="replace"),
        "leaf": entry.kind != "d",
    }
    if entry.kind == "f":
        item |= {"size": entry.size, "mtime": mtime}
    return item
