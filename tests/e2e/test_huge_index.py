"""An index with a million entries is never a Python list: a 4 TiB image of one chunk, in all that a server does."""

import hashlib
import json
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from backup_site import PASSWORD, BackupSite
from command_runner import Runner
from e2e.backup_script import call, open_session
from http2_client import Http2Client
from pbstore._core import FixedIndex, chunk_digest, seal_blob
from pbstore.cli.proxmox_backup_client.main import PROGRAM as CLIENT
from pbstore.cli.proxmox_backup_manager.main import PROGRAM as MANAGER
from pbstore.config.roots import Roots
from pbstore.format.manifest import Manifest
from pbstore.model.backup import Snapshot
from pbstore.model.crypt_mode import CryptMode

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

ENTRIES = 1 << 20
CHUNK_BYTES = 4 << 20
SIZE = ENTRIES * CHUNK_BYTES
CHUNK = b"one chunk ".ljust(CHUNK_BYTES, b".")
DIGEST = chunk_digest(CHUNK)
CSUM = hashlib.sha256(DIGEST * ENTRIES).hexdigest()
SNAPSHOT = Snapshot.parse("vm/100/2026-06-01T08:00:00Z")
MAX_RSS_BYTES = 300 << 20
STORE = "/api2/json/admin/datastore/main"
GROUP = {"backup-type": "vm", "backup-id": "100"}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, server_certificate: Roots) -> Iterator[BackupSite]:
    """A server with one snapshot of such an image; its store has the one directory that the chunk needs."""
    work = tmp_path_factory.mktemp("huge")
    chunks = work / "store/.chunks" / DIGEST.hex()[:4]
    chunks.mkdir(parents=True)
    (work / "store/.lock").touch()
    (chunks / DIGEST.hex()).write_bytes(seal_blob(CHUNK))
    snapshot = work / "store" / str(SNAPSHOT)
    snapshot.mkdir(parents=True)
    (snapshot.parent / "owner").write_text("archiver@pbs\n")
    index = bytearray(FixedIndex.encode([DIGEST], CHUNK_BYTES, uuid=bytes(16), ctime=0))
    index[32:64] = bytes.fromhex(CSUM)
    index[64:72] = SIZE.to_bytes(8, "little")
    with (snapshot / "disk.img.fidx").open("wb") as file:
        file.write(index[:4096])
        for _ in range(ENTRIES >> 10):
            file.write(DIGEST * 1024)
    manifest = Manifest(SNAPSHOT)
    manifest.add("disk.img.fidx", CryptMode.NONE, SIZE, bytes.fromhex(CSUM))
    (snapshot / "index.json.blob").write_bytes(seal_blob(manifest.encode()))
    made = BackupSite(work, work / "store", server_certificate, Runner(CLIENT))
    yield made
    made.server.stop(signal.SIGKILL)


@pytest.fixture(autouse=True)
def bounded(site: BackupSite) -> Iterator[None]:
    """The server's memory stays bounded, whatever a test does."""
    yield
    status = Path(f"/proc/{site.server.pid}/status").read_text()
    peak = next(int(line.split()[1]) << 10 for line in status.splitlines() if line.startswith("VmHWM:"))
    print(f"at most {peak >> 20} MiB")
    assert peak < MAX_RSS_BYTES


def login(site: BackupSite) -> dict[str, str]:
    return site.server.login("archiver@pbs", PASSWORD)


def later(number: int) -> Snapshot:
    return Snapshot(SNAPSHOT.group, SNAPSHOT.backup_time + number * 60)


def finish(session: Http2Client, snapshot: Snapshot) -> None:
    manifest = Manifest(snapshot)
    manifest.add("disk.img.fidx", CryptMode.NONE, SIZE, bytes.fromhex(CSUM))
    blob = seal_blob(manifest.encode())
    assert session.call("POST", f"/blob?file-name=index.json.blob&encoded-size={len(blob)}", blob).status == 200
    assert call(session, "POST", "finish") is None
    session.close()


def known(session: Http2Client) -> int:
    """Fetch the previous index, which makes its chunks known; its length."""
    answer = session.call("GET", "/previous?archive-name=disk.img.fidx")
    assert answer.status == 200
    return len(answer.body)


def test_lists(site: BackupSite) -> None:
    (item,) = site.server.request("GET", f"{STORE}/snapshots", GROUP, headers=login(site)).data
    assert item["size"] == SIZE + (site.store / str(SNAPSHOT) / "index.json.blob").stat().st_size
    assert str(SNAPSHOT) in site.succeed("snapshot", "list").stdout


def test_verification(site: BackupSite) -> None:
    """One chunk is read once, however often it is named."""
    manager = Runner(MANAGER)
    outcome = manager("verify", "main", "--ignore-verified", "0", environment={"PBSTORE_ROOT": str(site.server.root)})
    assert outcome.exit_code == 0, outcome.stdout
    assert "check disk.img.fidx" in outcome.stdout


def test_a_reader_session(site: BackupSite) -> None:
    session = open_session(site.server, "reader", SNAPSHOT, login(site))
    answer = session.call("GET", "/download?file-name=disk.img.fidx")
    assert (answer.status, len(answer.body)) == (200, 4096 + 32 * ENTRIES)
    assert bytes(session.call("GET", f"/chunk?digest={DIGEST.hex()}").body) == seal_blob(CHUNK)
    assert session.call("GET", f"/chunk?digest={'00' * 32}").status == 401
    session.close()


def test_an_incremental_backup(site: BackupSite) -> None:
    """As a virtual machine does it whose changed blocks are known: the rest of the old index is taken over."""
    session = open_session(site.server, "backup", later(1), login(site))
    assert known(session) == 4096 + 32 * ENTRIES
    index = {"archive_name": "disk.img.fidx", "size": SIZE, "reuse_csum": CSUM}
    wid = call(session, "POST", "fixed_index", **index)
    offsets = [number * CHUNK_BYTES for number in (0, 5, ENTRIES - 1)]
    call(session, "PUT", "fixed_index", wid=wid, digest_list=[DIGEST.hex()] * 3, offset_list=offsets)
    call(session, "POST", "fixed_close", wid=wid, chunk_count=3, size=SIZE, csum=CSUM)
    finish(session, later(1))


def test_a_backup_of_a_million_known_chunks(site: BackupSite) -> None:
    """Entry by entry, as a client does it that reads the whole image and finds nothing new."""
    session = open_session(site.server, "backup", later(2), login(site))
    known(session)
    wid = call(session, "POST", "fixed_index", archive_name="disk.img.fidx", size=SIZE)
    step = 4096
    digests = json.dumps([DIGEST.hex()] * step)
    for start in range(0, ENTRIES, step):
        offsets = json.dumps([number * CHUNK_BYTES for number in range(start, start + step)])
        body = f'{{"wid":{wid},"digest-list":{digests},"offset-list":{offsets}}}'.encode()
        answer: Any = session.call("PUT", "/fixed_index", body, content_type="application/json")
        assert answer.status == 200, bytes(answer.body)
    call(session, "POST", "fixed_close", wid=wid, chunk_count=ENTRIES, size=SIZE, csum=CSUM)
    finish(session, later(2))
    assert (site.store / str(later(2)) / "disk.img.fidx").stat().st_size == 4096 + 32 * ENTRIES
