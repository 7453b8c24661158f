"""Split archives on a running server: snapshots that build upon each other, and their restores."""

from dataclasses import dataclass
from pathlib import Path

from pbstore._core import CryptKey, DynamicIndex, RemoteArchive, Session, SplitUploadStats, TreeOptions, UnpackOptions
from session.client.client_site import ClientSite

METADATA, PAYLOAD = "root.mpxar.didx", "root.ppxar.didx"
# Small chunks, so that small trees have many.
OPTIONS = TreeOptions(chunk_size=4096)


@dataclass
class Kept:
    """A finished snapshot: a reader session, and the indexes that it served."""

    reader: Session
    metadata: bytes
    payload: bytes
    stats: SplitUploadStats

    def restore(self, target: Path, key: CryptKey | None = None, options: UnpackOptions | None = None) -> None:
        """Unpack it."""
        mode = "none" if key is None else "encrypt"
        restored = self.reader.restore_tree(
            self.metadata, target, payload_index=self.payload, key=key, crypt_mode=mode, options=options
        )
        assert restored.warning_count == 0

    def open(self, index: bytes, key: CryptKey | None = None) -> RemoteArchive:
        """Open one of the two streams."""
        return self.reader.open_archive(index, key=key, crypt_mode="none" if key is None else "encrypt")


def keep(site: ClientSite, tree: Path, group: str, last: Kept | None = None, key: CryptKey | None = None) -> Kept:
    """Back the tree up as the next snapshot of the group; with a last one, only what has changed."""
    snapshot, session = site.backup(group)
    indexes = (
        [session.request("GET", "previous", f"archive-name={name}") for name in (METADATA, PAYLOAD)] if last else []
    )
    metadata, payload = map(DynamicIndex.parse, indexes) if last else (None, None)
    stats = session.upload_split_tree(
        tree,
        METADATA,
        PAYLOAD,
        key=key,
        previous_metadata=metadata,
        previous_payload=payload,
        reference=last.open(last.metadata, key) if last else None,
        options=OPTIONS,
    )
    assert stats.warning_count == 0
    archives = {PAYLOAD: stats.payload, METADATA: stats.metadata}
    reader = site.finish(snapshot, session, archives, encrypted=key is not None)
    metadata_index, payload_index = (
        reader.request("GET", "download", f"file-name={name}") for name in (METADATA, PAYLOAD)
    )
    return Kept(reader, metadata_index, payload_index, stats)
