"""Makes snapshots with archives of files, as a session would."""

import hashlib
from pathlib import Path

from pbstore import _core
from pbstore.datastore.datastore import Datastore
from pbstore.datastore.groups import open_group
from pbstore.datastore.snapshots import UNFINISHED_NAME, create_snapshot
from pbstore.format.manifest import Manifest
from pbstore.model.auth_id import AuthId
from pbstore.model.backup import Snapshot
from pbstore.model.crypt_mode import CryptMode
from unit.datastore.snapshot_factory import ROOT

Archives = dict[str, bytes]
"""Content by the server's names."""


def make_archives(work: Path) -> Archives:
    """`etc/hosts` and the symlink `etc/link` as version 1 archive `root` with its catalog, and as split one `split`."""
    source, made = work / "source", work / "made"
    (source / "etc").mkdir(parents=True)
    made.mkdir()
    (source / "etc" / "hosts").write_text("127.0.0.1 localhost\n")
    (source / "etc" / "link").symlink_to("hosts")
    _core.create_pxar(source, made / "root.pxar.didx", catalog_path=made / "catalog.pcat1.didx")
    _core.create_pxar(source, made / "split.mpxar.didx", payload_path=made / "split.ppxar.didx")
    return {path.name: path.read_bytes() for path in made.iterdir()}


def make_archive_snapshot(
    datastore: Datastore, text: str, archives: Archives, *, owner: AuthId, crypt_mode: CryptMode = CryptMode.NONE
) -> Snapshot:
    """Make `type/id/time` with these archives, which the manifest says to be of that crypt mode."""
    snapshot = Snapshot.parse(text)
    _, group_lock = open_group(datastore, ROOT, snapshot.group, owner)
    with group_lock, create_snapshot(datastore, ROOT, snapshot):
        directory, manifest = datastore.snapshot_path(ROOT, snapshot), Manifest(snapshot)
        for name, content in archives.items():
            file = _index_of(datastore, content)
            (directory / name).write_bytes(file)
            manifest.add(name, crypt_mode, len(content), _core.DynamicIndex.parse(file).csum)
        (directory / "index.json.blob").write_bytes(_core.seal_blob(manifest.encode()))
        (directory / UNFINISHED_NAME).unlink()
    return snapshot


def _index_of(datastore: Datastore, content: bytes) -> bytes:
    """Store an archive as one chunk; its index."""
    digest = hashlib.sha256(content).digest()
    (datastore.path / ".chunks" / digest.hex()[:4]).mkdir(exist_ok=True)
    datastore.chunk_store.insert(digest, _core.seal_blob(content, compress=True))
    return _core.DynamicIndex.encode([(len(content), digest)], uuid=b"u" * 16, ctime=0)
