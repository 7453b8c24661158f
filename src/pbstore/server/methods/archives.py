"""Files inside archives: listed, and downloaded one by one or whole directories at once (rest-api.md 5)."""

from typing import Unpack

from pbstore._core import StoredTree, quoted_path
from pbstore.api.method import Call, RawReply, method
from pbstore.api.result import Content
from pbstore.errors import DatastoreError
from pbstore.server.archive_listing import ENTRIES, list_catalog, list_tree
from pbstore.server.archive_paths import ARCHIVE_NAME, FILEPATH, TAR, decoded_path, directory_path, split_archive
from pbstore.server.content_right import READ
from pbstore.server.parameters import SNAPSHOT, STORE
from pbstore.server.registry import Registry
from pbstore.server.snapshot_reading import SnapshotPlace, reading

_KINDS = {"l": "symlink", "b": "block device", "c": "character device", "p": "fifo", "s": "socket"}


@method(
    "GET",
    "/admin/datastore/{store}/catalog",
    permission=READ.permission,
    parameters=(STORE, *SNAPSHOT, FILEPATH, ARCHIVE_NAME),
    result=ENTRIES,
)
def catalog(
    call: Call[Registry], *, filepath: str, archive_name: str | None, **place: Unpack[SnapshotPlace]
) -> list[dict[str, object]]:
    """List a directory of a snapshot's archives, or of one archive."""
    path = directory_path(filepath)
    with reading(call, **place) as snapshot:
        if archive_name is None:
            return list_catalog(snapshot.files.catalog(), path)
        return list_tree(snapshot.files.tree(archive_name, with_content=False), path)


@method(
    "GET",
    "/admin/datastore/{store}/pxar-file-download",
    permission=READ.permission,
    parameters=(STORE, *SNAPSHOT, FILEPATH, TAR, ARCHIVE_NAME),
    result=Content(description="the file, or a zip or tar file of the directory"),
)
def pxar_file_download(
    call: Call[Registry], *, filepath: str, tar: bool, archive_name: str | None, **place: Unpack[SnapshotPlace]
) -> RawReply:
    """The content of a file in an archive; a directory as zip, or as tar file compressed with zstd."""
    path = decoded_path(filepath)
    if archive_name is None:
        archive_name, path = split_archive(path)
    with reading(call, **place) as snapshot:
        tree = snapshot.files.tree(archive_name, with_content=True)
        kind = _kind(tree, path)
        if kind in "fh":
            return snapshot.reply(tree.file(path))
        return snapshot.reply(tree.tar_zst(path) if tar else tree.zip(path, snapshot.files.datastore.path))


def _kind(tree: StoredTree, path: bytes) -> str:
    """What is at a path: a file `f` or `h`, or a directory `d`."""
    found = tree.entry(path) if path else None
    if found is None:
        raise DatastoreError(f"error opening '{quoted_path(path)}'")
    if found.kind in _KINDS:
        raise DatastoreError(f"cannot download file of type {_KINDS[found.kind]}: {quoted_path(path)}")
    return found.kind


METHODS = (catalog, pxar_file_download)
