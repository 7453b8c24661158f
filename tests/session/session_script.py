"""Scripts of session calls on a real datastore: who opens what, which calls come, what is there afterwards."""

import itertools
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from pbstore._core import BackupChunks, DynamicIndex, FileBody, FixedIndex, ReaderChunks, chunk_digest, seal_blob
from pbstore.config.roots import Roots
from pbstore.datastore.datastore import Datastore
from pbstore.datastore.groups import open_group
from pbstore.datastore.snapshots import create_snapshot
from pbstore.format.manifest import Manifest
from pbstore.model.auth_id import AuthId
from pbstore.model.backup import BackupGroup, BackupType, Snapshot
from pbstore.model.crypt_mode import CryptMode
from pbstore.model.namespace import Namespace
from pbstore.session.backup_session import BackupSession
from pbstore.session.open_backup import BackupRequest, open_backup
from pbstore.session.open_reader import open_reader
from pbstore.session.reader_session import ReaderSession
from pbstore.tasks.task_log import log_path
from pbstore.tasks.task_registry import Tasks
from pbstore.tasks.worker_task import WorkerTask

NOW = 1_780_300_800
ALICE = AuthId.parse("alice@pbs")
BOB = AuthId.parse("bob@pbs")
TOKEN = AuthId.parse("alice@pbs!tok")
CHUNK_BYTES = 4 << 20
ROOT = Namespace()


@dataclass(frozen=True)
class Answer:
    """What a call gave."""

    status: int
    headers: list[tuple[str, str]]
    body: object

    @property
    def data(self) -> Any:
        """`data` of a 200 answer."""
        assert self.status == 200, self
        assert isinstance(self.body, bytes)
        return json.loads(self.body)["data"]

    @property
    def text(self) -> str:
        """The text of an error."""
        assert self.status >= 400, self
        assert isinstance(self.body, bytes)
        return self.body.decode()

    @property
    def file_size(self) -> int:
        """Bytes of a streamed file."""
        assert self.status == 200, self
        assert isinstance(self.body, FileBody)
        assert self.body.size is not None
        return self.body.size


class Calls:
    """A session to be called as the front does it."""

    def __init__(self, session: BackupSession | ReaderSession, task: WorkerTask, tasks_dir: Path):
        self.session = session
        self.task = task
        self._log = log_path(tasks_dir, task.upid)

    def call(
        self, method: str, path: str, parameters: dict[str, object] | None = None, body: bytes | None = None
    ) -> Answer:
        """Send parameters as the original client does: POST and PUT lists as JSON, else in the query."""
        query, content_type, sent = "", None, b""
        if body is not None:
            query, content_type, sent = urlencode(parameters or {}), "application/octet-stream", body
        elif method in ("POST", "PUT"):
            content_type, sent = "application/json", json.dumps(parameters or {}).encode()
        else:
            query = urlencode(parameters or {}, doseq=True)
        return Answer(*self.session.handle(method, f"/{path}", query, content_type, sent))

    def query(self, method: str, path: str, query: str) -> Answer:
        """Send parameters in the query whatever the method."""
        return Answer(*self.session.handle(method, f"/{path}", query, None, b""))

    def blob(self, name: str, payload: bytes = b"content", *, announced: int | None = None) -> Answer:
        """Upload a blob; `announced` is a length that may be wrong."""
        sealed = seal_blob(payload)
        size = len(sealed) if announced is None else announced
        return self.call("POST", "blob", {"file-name": name, "encoded-size": size}, sealed)

    def manifest(self, snapshot: Snapshot, *names: str) -> Answer:
        """Upload a manifest that lists files, with sizes out of the air."""
        manifest = Manifest(snapshot)
        for name in names:
            manifest.add(name, CryptMode.NONE, 1, bytes(32))
        return self.blob("index.json.blob", manifest.encode())

    @property
    def log(self) -> list[str]:
        """The task log without its times."""
        return [line[27:] for line in self._log.read_text().splitlines()]


class Store:
    """An open datastore and the tasks directory beside it."""

    def __init__(self, datastore: Datastore, roots: Roots):
        self.datastore = datastore
        self.roots = roots
        self.tasks = Tasks(roots, "node", lambda: float(NOW))
        self._names = itertools.count()
        self._opened: list[Calls] = []

    def end_sessions(self) -> None:
        """End what a script left open."""
        for calls in self._opened:
            if calls.task.end is None:
                calls.session.closed("the script is over")
        self._opened.clear()

    def new_group(self) -> BackupGroup:
        """A group that no other test uses."""
        return BackupGroup(BackupType.HOST, f"g{next(self._names)}")

    def directory(self, snapshot: Snapshot, namespace: Namespace = ROOT) -> Path:
        """Where a snapshot lies."""
        return self.datastore.snapshot_path(namespace, snapshot)

    def backup(
        self,
        snapshot: Snapshot,
        *,
        caller: AuthId = ALICE,
        namespace: Namespace = ROOT,
        is_benchmark: bool = False,
        debug: bool = False,
        now: float = NOW,
        on_finished: Callable[[], None] | None = None,
    ) -> Calls:
        """Open a backup session."""
        request = BackupRequest(namespace=namespace, snapshot=snapshot, caller=caller, is_benchmark=is_benchmark)
        place = open_backup(self.datastore, request, now=now, allowed_ahead_seconds=600)
        task = self.tasks.open("backup", f"{self.datastore.name}:{snapshot.group}", caller)
        chunks = BackupChunks(self.datastore.chunk_store)
        session = BackupSession(
            place, chunks, task, caller=caller, is_benchmark=is_benchmark, debug=debug, on_finished=on_finished
        )
        self._opened.append(Calls(session, task, self.roots.tasks_dir))
        return self._opened[-1]

    def reader(self, snapshot: Snapshot, *, only_of: AuthId | None = None, debug: bool = False) -> Calls:
        """Open a reader session."""
        place = open_reader(self.datastore, ROOT, snapshot, only_of=only_of)
        task = self.tasks.open("reader", str(snapshot), ALICE)
        chunks = ReaderChunks(self.datastore.chunk_store)
        session = ReaderSession(place.directory, chunks, task, place.guards, caller=ALICE, debug=debug)
        self._opened.append(Calls(session, task, self.roots.tasks_dir))
        return self._opened[-1]

    def finished(self, snapshot: Snapshot, *, owner: AuthId = ALICE, **unprotected: object) -> "Made":
        """Write a finished snapshot: `disk.img.fidx`, `root.pxar.didx`, `vm.conf.blob` and a manifest of them."""
        _, group_lock = open_group(self.datastore, ROOT, snapshot.group, owner)
        with group_lock, create_snapshot(self.datastore, ROOT, snapshot):
            directory = self.directory(snapshot)
            image = [bytes([number]) * CHUNK_BYTES for number in (1, 2)]
            tree = [b"tree one" * 100, b"tree two" * 200]
            digests = [self._insert(data) for data in (*image, *tree)]
            fixed = FixedIndex.encode(digests[:2], 2 * CHUNK_BYTES, uuid=bytes(16), ctime=NOW)
            entries = [(len(tree[0]), digests[2]), (len(tree[0]) + len(tree[1]), digests[3])]
            dynamic = DynamicIndex.encode(entries, uuid=bytes(16), ctime=NOW)
            (directory / "disk.img.fidx").write_bytes(fixed)
            (directory / "root.pxar.didx").write_bytes(dynamic)
            (directory / "vm.conf.blob").write_bytes(seal_blob(b"conf"))
            manifest = Manifest(snapshot)
            manifest.add("disk.img.fidx", CryptMode.NONE, 2 * CHUNK_BYTES, FixedIndex.parse(fixed).csum)
            manifest.unprotected.update(unprotected)
            (directory / "index.json.blob").write_bytes(seal_blob(manifest.encode()))
        return Made(snapshot, tuple(digests[:2]), tuple(digests[2:]), (len(tree[0]), len(tree[1])))

    def _insert(self, data: bytes) -> bytes:
        digest = chunk_digest(data)
        self.datastore.chunk_store.insert(digest, seal_blob(data))
        return digest


@dataclass(frozen=True)
class Made:
    """A snapshot written by hand, with the digests of its image and tree and the lengths of the tree's chunks."""

    snapshot: Snapshot
    image: tuple[bytes, ...]
    tree: tuple[bytes, ...]
    tree_lengths: tuple[int, ...]

    @property
    def image_csum(self) -> str:
        """Checksum of the fixed index."""
        return FixedIndex.parse(
            FixedIndex.encode(list(self.image), 2 * CHUNK_BYTES, uuid=bytes(16), ctime=NOW)
        ).csum.hex()


def dynamic_csum(chunks: Iterable[tuple[int, bytes]]) -> str:
    """Checksum of a dynamic index of (length, digest) chunks."""
    entries, end = [], 0
    for length, digest in chunks:
        end += length
        entries.append((end, digest))
    return DynamicIndex.parse(DynamicIndex.encode(entries, uuid=bytes(16), ctime=NOW)).csum.hex()


def first(store: Store) -> Snapshot:
    return Snapshot(store.new_group(), NOW)


def then(snapshot: Snapshot, seconds: int = 60) -> Snapshot:
    return Snapshot(snapshot.group, snapshot.backup_time + seconds)


def known(calls: Calls, name: str) -> None:
    assert calls.call("GET", "previous", {"archive-name": name}).file_size > 0


def append(calls: Calls, kind: str, wid: int, chunks: list[tuple[int, bytes]]) -> None:
    lists = {"digest-list": [digest.hex() for _, digest in chunks], "offset-list": [offset for offset, _ in chunks]}
    assert calls.call("PUT", f"{kind}_index", {"wid": wid, **lists}).data is None


def upload_tree(calls: Calls, base: Made, name: str = "root.pxar.didx") -> None:
    """A whole dynamic index of known chunks."""
    known(calls, "root.pxar.didx")
    wid = calls.call("POST", "dynamic_index", {"archive-name": name}).data
    append(calls, "dynamic", wid, [(0, base.tree[0]), (base.tree_lengths[0], base.tree[1])])
    csum = dynamic_csum(zip(base.tree_lengths, base.tree, strict=True))
    closing = {"wid": wid, "chunk-count": 2, "size": sum(base.tree_lengths), "csum": csum}
    assert calls.call("POST", "dynamic_close", closing).data is None


def finish(calls: Calls, snapshot: Snapshot) -> None:
    assert calls.manifest(snapshot, "vm.conf.blob").data is None
    assert calls.call("POST", "finish").data is None
