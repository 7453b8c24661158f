"""Nothing points at what is not durable yet: the system calls of a real server at each sync level.

docs/design/durability.md says what is held here.
"""

import functools
import re
import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from backup_site import BackupSite
from command_runner import Runner
from pbstore._core import DynamicIndex, FixedIndex
from pbstore.cli.proxmox_backup_client.main import PROGRAM as CLIENT
from pbstore.config.roots import Roots
from pbstore.datastore.reconfiguration import Reconfiguration
from running_server import RunningServer
from system_calls import SystemCall, read_record, strace, the_one

pytestmark = pytest.mark.slow
RENAMES = ("rename", "renameat", "renameat2")
CHUNK = re.compile(r"/\.chunks/[0-9a-f]{4}/([0-9a-f]{64})$")
MANIFEST = "index.json.blob"
ALL_LEVELS = pytest.mark.parametrize("level", ["none", "file", "filesystem"])


@dataclass(frozen=True)
class Recorded:
    """What a server did during a backup of a tree, an image and a blob, and the removal of the snapshot."""

    store: Path
    snapshot: Path
    digests: dict[str, list[str]]
    calls: list[SystemCall]

    def renamed_to(self, path: Path) -> SystemCall:
        """The call that gave a file its name."""
        return the_one(self.calls, lambda call: call.name in RENAMES and call.strings[-1] == str(path))

    def synced(self, path: Path) -> list[SystemCall]:
        """The times that a file or directory was synced by itself."""
        return [call for call in self.calls if call.name == "fsync" and call.path == str(path)]

    @property
    def chunks(self) -> dict[str, SystemCall]:
        """The renames that made chunks, by digest."""
        found = {}
        for call in self.calls:
            match = CHUNK.search(call.strings[-1]) if call.name in RENAMES else None
            if match is not None:
                found[match[1]] = call
        return found

    @property
    def published(self) -> SystemCall:
        """The rename that made the snapshot visible."""
        return self.renamed_to(self.snapshot / MANIFEST)

    @property
    def syncs(self) -> list[SystemCall]:
        """The times that the whole file system was synced."""
        return [call for call in self.calls if call.name == "syncfs" and call.path.startswith(str(self.store))]

    def entry_of(self, digest: str, index: str) -> SystemCall:
        """The first write of an index that has the digest in it."""
        written = "".join(f"\\x{digest[place : place + 2]}" for place in range(0, 64, 2))
        temporary = str(self.snapshot / index.rpartition(".")[0])
        writes = [call for call in self.calls if call.name == "pwrite64" and call.path.startswith(temporary)]
        # strace writes a string in hex if it has bytes that cannot be printed: digests always have some.
        return next(call for call in writes if written in call.strings[-1])


@pytest.fixture(scope="module")
def record_of(
    store: Path, tmp_path_factory: pytest.TempPathFactory, server_certificate: Roots
) -> Callable[[str], Recorded]:
    """Run everything once at each sync level that is asked for."""

    @functools.cache
    def run(level: str) -> Recorded:
        work = tmp_path_factory.mktemp(level)
        site = BackupSite(work, store, server_certificate, Runner(CLIENT), wrapper=strace(work / "record"))
        try:
            tuning = {"tuning": f"sync-level={level},gc-atime-safety-check=0"}
            Reconfiguration(tuning).apply(site.server.roots, "main", digest=None, now=0)
            return _recorded(site, level, work)
        finally:
            site.server.stop(signal.SIGKILL)

    return run


def _recorded(site: BackupSite, level: str, work: Path) -> Recorded:
    tree, image, note = work / "tree", work / "disk.img", work / "note.conf"
    tree.mkdir()
    (tree / "file").write_bytes(f"{level} tree".encode() * 100_000)
    image.write_bytes(
        b"".join(f"{level} {number}".encode().ljust(4 << 20, b".") for number in range(3)) + level.encode()
    )
    note.write_text(level)
    specs = [f"tree.pxar:{tree}", f"disk.img:{image}", f"note.conf:{note}"]
    site.succeed("backup", *specs, "--backup-id", level)
    (snapshot,) = site.snapshots(f"host/{level}")
    indexes: dict[str, FixedIndex | DynamicIndex] = {
        "disk.img.fidx": FixedIndex.parse((snapshot / "disk.img.fidx").read_bytes()),
        "tree.pxar.didx": DynamicIndex.parse((snapshot / "tree.pxar.didx").read_bytes()),
    }
    digests = {name: [index.digest(n).hex() for n in range(len(index))] for name, index in indexes.items()}
    _forget(site.server, level, snapshot)
    site.server.stop(signal.SIGKILL)
    return Recorded(site.store, snapshot, digests, read_record(work / "record"))


def _forget(server: RunningServer, level: str, snapshot: Path) -> None:
    headers = server.login("archiver@pbs", "Archiver12345")
    store = "/api2/json/admin/datastore/main"
    group = {"backup-type": "host", "backup-id": level}
    (item,) = server.request("GET", f"{store}/snapshots", group, headers=headers).data
    parameters = {**group, "backup-time": item["backup-time"]}
    assert server.request("DELETE", f"{store}/snapshots", parameters, headers=headers).status == 200
    assert not snapshot.exists()


@pytest.fixture
def recorded(level: str, record_of: Callable[[str], Recorded]) -> Recorded:
    return record_of(level)


@ALL_LEVELS
def test_chunk_before_index_entry(recorded: Recorded) -> None:
    chunks = recorded.chunks
    for index, digests in recorded.digests.items():
        assert len(digests) >= 1
        for digest in digests:
            assert chunks[digest].is_before(recorded.entry_of(digest, index))


@ALL_LEVELS
def test_index_before_manifest(recorded: Recorded) -> None:
    for name in (*recorded.digests, "note.conf.blob", "catalog.pcat1.didx"):
        assert recorded.renamed_to(recorded.snapshot / name).is_before(recorded.published)


@ALL_LEVELS
def test_the_manifest_has_its_name_at_finish_only(recorded: Recorded) -> None:
    uploaded = recorded.renamed_to(recorded.snapshot / f"{MANIFEST}.tmp_upload")
    assert uploaded.is_before(recorded.published)


@ALL_LEVELS
def test_what_is_made_durable(recorded: Recorded, level: str) -> None:
    made = [*recorded.chunks.values(), *(recorded.renamed_to(recorded.snapshot / name) for name in recorded.digests)]
    if level == "none":
        assert recorded.syncs == []
        assert not any(recorded.synced(Path(call.strings[0])) for call in made)
    elif level == "filesystem":
        (sync,) = recorded.syncs
        assert all(call.is_before(sync) for call in made)
        assert sync.is_before(recorded.published)
        assert not any(recorded.synced(Path(call.strings[0])) for call in made)
    else:
        assert recorded.syncs == []
        for call in made:
            source, target = Path(call.strings[0]), Path(call.strings[-1])
            (file_sync,) = recorded.synced(source)
            assert file_sync.is_before(call)
            assert any(
                call.is_before(sync) and sync.is_before(recorded.published) for sync in recorded.synced(target.parent)
            )


@pytest.mark.parametrize("level", ["file"])
def test_at_level_file_a_chunk_is_durable_before_its_entry(recorded: Recorded) -> None:
    for index, digests in recorded.digests.items():
        for digest in digests:
            chunk, entry = recorded.chunks[digest], recorded.entry_of(digest, index)
            directory = Path(chunk.strings[-1]).parent
            assert any(chunk.is_before(sync) and sync.is_before(entry) for sync in recorded.synced(directory))


@pytest.mark.parametrize("level", ["file"])
def test_the_snapshots_own_name_is_durable(recorded: Recorded) -> None:
    for directory in (recorded.snapshot.parent, recorded.store / "host", recorded.store):
        assert any(sync.is_before(recorded.published) for sync in recorded.synced(directory))


@ALL_LEVELS
def test_the_manifest_is_durable_when_finish_is_answered(recorded: Recorded, level: str) -> None:
    published = recorded.published
    before = [sync for sync in recorded.synced(Path(published.strings[0])) if sync.is_before(published)]
    after = [sync for sync in recorded.synced(recorded.snapshot) if published.is_before(sync)]
    assert bool(before) == bool(after) == (level != "none")


@ALL_LEVELS
def test_removal_makes_a_snapshot_unfinished_first(recorded: Recorded, level: str) -> None:
    marked = the_one(
        recorded.calls,
        lambda call: (
            call.name in RENAMES
            and call.strings == [str(recorded.snapshot / MANIFEST), str(recorded.snapshot / ".unfinished")]
        ),
    )
    removed = [
        call
        for call in recorded.calls
        if call.name in ("unlink", "unlinkat") and "disk.img.fidx" in call.text and published_before(recorded, call)
    ]
    assert removed
    assert all(marked.is_before(call) for call in removed)
    syncs = [sync for sync in recorded.synced(recorded.snapshot) if marked.is_before(sync)]
    if level == "none":
        assert syncs == []
    else:
        assert all(syncs[0].is_before(call) for call in removed)


def published_before(recorded: Recorded, call: SystemCall) -> bool:
    return recorded.published.is_before(call)
