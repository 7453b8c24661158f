"""Stores that were damaged on purpose: exactly the damage that was done is found, by the codecs and by restores."""

import hashlib
import re
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from backup_site import BackupSite
from command_runner import Runner
from pbstore import _core
from pbstore.cli.proxmox_backup_client.main import PROGRAM as CLIENT
from pbstore.config.roots import Roots
from pbstore.errors import IntegrityError
from reference.original_store import OriginalStore, parse_index
from unpack import unpack

FIRST = "2026-06-01T08:00:00Z"
# What was done to a chunk, and what has to be said of it.
SIGNS = {
    "flipped": "wrong CRC-32",
    "replaced": "wrong digest",
    "truncated to 100": "wrong CRC-32",
    "removed": "missing",
    "truncated to 0": "only 0 bytes",
}
NO_KEY = _core.CryptKey(bytes(32))


@pytest.fixture(scope="module")
def damaged(fixtures_423: Path, tmp_path_factory: pytest.TempPathFactory) -> OriginalStore:
    """The store as it was damaged."""
    target = tmp_path_factory.mktemp("damaged")
    return OriginalStore(unpack(fixtures_423 / "datastore-bad-before-verify.tar.xz", target), NO_KEY)


@pytest.fixture(scope="module")
def healed(fixtures_423: Path, tmp_path_factory: pytest.TempPathFactory) -> OriginalStore:
    """The store after the original set bad chunks aside and made the same backups again."""
    target = tmp_path_factory.mktemp("healed")
    return OriginalStore(unpack(fixtures_423 / "datastore-bad-after-verify.tar.xz", target), NO_KEY)


@pytest.fixture(scope="module")
def done(fixtures_423: Path) -> str:
    """What was done to the store."""
    return (fixtures_423 / "cli" / "bad-store-what.txt").read_text()


def bad_chunks(store: OriginalStore) -> dict[str, str]:
    """What is wrong with each chunk that an index names."""
    found = {}
    for path in store.files("*.[fd]idx"):
        index, start = parse_index(path), 0
        for number in range(len(index)):
            problem = chunk_problem(store, index.digest(number), index.chunk_end(number) - start)
            if problem:
                found[index.digest(number).hex()] = problem
            start = index.chunk_end(number)
    return found


def chunk_problem(store: OriginalStore, digest: bytes, length: int) -> str:
    """Nothing, or why the chunk is not the data that was stored."""
    path = store.chunk_path(digest)
    if not path.exists():
        return "missing"
    try:
        data = _core.open_blob(path.read_bytes())
    except Exception as error:
        return str(error)
    return "" if (len(data), _core.chunk_digest(data)) == (length, digest) else "wrong digest"


def bad_files(store: OriginalStore) -> set[str]:
    """Files that are not what their manifest says."""
    found = set()
    for snapshot in store.snapshots():
        manifest = store.manifest(snapshot)
        for entry in manifest.files:
            path = snapshot / entry.filename
            data = path.read_bytes()
            if path.suffix == ".blob":
                size, csum = len(data), hashlib.sha256(data).digest()
            else:
                index = parse_index(path)
                size, csum = index.size, index.csum
            try:
                manifest.verify_file(entry.filename, size, csum)
            except IntegrityError as error:
                assert entry.filename in str(error)  # noqa: PT017
                found.add(str(path.relative_to(store.path)))
    return found


def test_the_codecs_find_what_was_done(damaged: OriginalStore, done: str) -> None:
    found = bad_chunks(damaged)
    index = parse_index(damaged.path / "host" / "badidx" / FIRST / "d.img.fidx")
    # The overwritten digest in an index names a chunk that never was.
    assert found.pop(index.digest(0).hex()) == "missing"
    expected = dict(re.findall(r"chunk \d ([0-9a-f]{64}) (.*)", done))
    assert found.keys() == expected.keys()
    for digest, what in expected.items():
        (word,) = [word for said, word in SIGNS.items() if said in what]
        assert word in found[digest]
    assert bad_files(damaged) == {f"host/badidx/{FIRST}/d.img.fidx", f"host/badman/{FIRST}/note.conf.blob"}


def test_nothing_else_is_wrong_after_the_same_backups(healed: OriginalStore) -> None:
    assert list(bad_chunks(healed).values()) == ["missing"]
    assert bad_files(healed) == {f"host/badidx/{FIRST}/d.img.fidx", f"host/badman/{FIRST}/note.conf.blob"}
    states = {
        str(snapshot.relative_to(healed.path)): healed.manifest(snapshot).unprotected["verify_state"]["state"]
        for snapshot in healed.snapshots()
    }
    assert {name for name, state in states.items() if state == "failed"} == {
        f"host/badidx/{FIRST}",
        f"host/badman/{FIRST}",
    }


@pytest.fixture(scope="module")
def site(
    damaged: OriginalStore, tmp_path_factory: pytest.TempPathFactory, server_certificate: Roots
) -> Iterator[BackupSite]:
    """The damaged store, copied, behind a server of ours."""
    work = tmp_path_factory.mktemp("served")
    shutil.copytree(damaged.path, work / "store")
    made = BackupSite(work, work / "store", server_certificate, Runner(CLIENT))
    yield made
    made.server.stop(signal.SIGKILL)


@pytest.mark.parametrize(
    ("group", "archive", "place"),
    [
        # Chunks come side by side, so any of the bad ones may be met first.
        ("corrupt", "d.img", r"d.img: chunk (0 \(116c4854|1 \(f17b3a14|2 \(0685e371)[0-9a-f]{56}\)"),
        ("good", "d.img", r"d.img: chunk (0 \(116c4854|1 \(f17b3a14|2 \(0685e371)[0-9a-f]{56}\)"),
        ("missing", "d.img", r"d.img: chunk (0 \(8e71e5ac|2 \(2d75c945)[0-9a-f]{56}\)"),
        ("badidx", "d.img", "wrong checksum for file 'd.img.fidx'"),
        ("badman", "note.conf", "wrong checksum for file 'note.conf.blob'"),
    ],
)
def test_restores_of_what_is_damaged_fail(
    site: BackupSite, tmp_path: Path, group: str, archive: str, place: str
) -> None:
    line = site.error("restore", f"host/{group}/{FIRST}", archive, tmp_path / "target")
    assert re.search(place, line), line
    assert not (tmp_path / "target").exists()


def test_restores_of_what_is_whole_succeed(site: BackupSite, tmp_path: Path) -> None:
    site.succeed("restore", f"host/badman/{FIRST}", "d.img", tmp_path / "image")
    assert (tmp_path / "image").stat().st_size == 16 << 20
    for group in ("corrupt", "missing", "badidx"):
        assert site.succeed("restore", f"host/{group}/{FIRST}", "note.conf", "-").raw_stdout
    site.succeed("restore", f"host/okay/{FIRST}", "c.pxar", tmp_path / "tree")
    assert any((tmp_path / "tree").iterdir())
