"""What differs between the same archive in two snapshots, read over two reader sessions."""

from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from typing import TypeAlias
from urllib.parse import urlencode

from pbstore import _core
from pbstore.client.keys import Keys
from pbstore.client.manifest_check import check_key, parse_manifest
from pbstore.client.previous_backup import checked_index
from pbstore.client.server import Server
from pbstore.errors import IntegrityError, NotFoundError, PbstoreError
from pbstore.format.manifest import MANIFEST_FILE_NAME, Manifest, ManifestFile
from pbstore.model.archive_name import SplitNames, split_names
from pbstore.model.backup import Snapshot
from pbstore.model.namespace import Namespace

# The archive with the metadata, and the one with the contents if that is another and is needed.
Tree: TypeAlias = tuple[_core.RemoteArchive, _core.RemoteArchive | None]


@dataclass(frozen=True, kw_only=True)
class ComparisonJob:
    """Which snapshots to compare, and whether contents too. `archive` is like `root.pxar`, of either kind."""

    old: Snapshot
    new: Snapshot
    namespace: Namespace = field(default_factory=Namespace)
    archive: str
    keys: Keys
    compare_content: bool = False


def compare_archives(server: Server, job: ComparisonJob) -> Iterator[_core.ArchiveDifference]:
    """Yield what differs, parents before children.

    The archive may be a split one in one snapshot, and none in the other.

    Raises:
        EncryptionKeyError: the key is missing or another one.
        IntegrityError: something is not what a manifest says.
        NotFoundError: a snapshot has no such archive.
        PbstoreError: the archive is of a kind that has no files in it, or it cannot be read.
    """
    names = split_names(job.archive)
    if names is None:
        raise PbstoreError(f"Only .pxar files are supported, not '{job.archive}'")
    progress = _core.Progress()
    trees: list[Tree] = []
    with ExitStack() as stack:
        for snapshot in (job.old, job.new):
            session = stack.enter_context(closing(server.open_reader(job.namespace, snapshot)))
            source = _Source(session, snapshot, job.keys, progress)
            trees.append(source.tree(names, with_payload=job.compare_content))
        (old, old_payload), (new, new_payload) = trees
        yield from _core.compare_archives(
            old,
            new,
            old_payload=old_payload,
            new_payload=new_payload,
            compare_content=job.compare_content,
            progress=progress,
        )


class _Source:
    def __init__(self, session: _core.Session, snapshot: Snapshot, keys: Keys, progress: _core.Progress):
        self.session = session
        self.snapshot = snapshot
        self.keys = keys
        self.progress = progress
        self.manifest = self.checked_manifest()

    def checked_manifest(self) -> Manifest:
        manifest = parse_manifest(self.download(MANIFEST_FILE_NAME), self.keys)
        if manifest.snapshot != self.snapshot:
            raise IntegrityError(f"the server sent the manifest of {manifest.snapshot} for {self.snapshot}")
        check_key(manifest, self.keys)
        return manifest

    def tree(self, names: SplitNames, *, with_payload: bool) -> Tree:
        whole_name = names.metadata.removesuffix(".mpxar.didx") + ".pxar.didx"
        whole = self.manifest.find(whole_name)
        if whole is not None:
            return self.open(whole), None
        metadata, payload = self.manifest.find(names.metadata), self.manifest.find(names.payload)
        if metadata is None or payload is None:
            raise NotFoundError(f"snapshot '{self.snapshot}' contains neither '{whole_name}' nor '{names.metadata}'")
        return self.open(metadata), self.open(payload) if with_payload else None

    def open(self, entry: ManifestFile) -> _core.RemoteArchive:
        index = self.download(entry.filename)
        name = f"{self.snapshot}/{entry.filename}"
        try:
            checked_index(_core.DynamicIndex.parse(index), entry)
        except IntegrityError as error:
            raise IntegrityError(f"{name}: {error}") from None
        return self.session.open_archive(
            index,
            key=self.keys.key,
            crypt_mode=entry.crypt_mode.value,
            archive_name=name,
            progress=self.progress,
        )

    def download(self, file_name: str) -> bytes:
        return self.session.request("GET", "download", urlencode({"file-name": file_name}))
