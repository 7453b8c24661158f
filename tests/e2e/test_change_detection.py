"""Split archives and change detection with the command line, between a client and a server of ours."""

import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from backup_site import PASSWORD, BackupSite, newest
from e2e.split_backups import TIMES, Backup, Check, Snapshots
from e2e.test_kills import wait_until
from pbstore._core import open_blob, seal_blob
from pbstore.format.manifest import Manifest

pytestmark = pytest.mark.slow


def files(snapshot: Path) -> list[str]:
    manifest = Manifest.parse(open_blob((snapshot / "index.json.blob").read_bytes()))
    return [entry.filename for entry in manifest.files]


def change_manifest(snapshot: Path, change: Callable[[Manifest], None]) -> None:
    path = snapshot / "index.json.blob"
    manifest = Manifest.parse(open_blob(path.read_bytes()))
    change(manifest)
    path.write_bytes(seal_blob(manifest.encode()))


def test_modes_make_the_archives_that_they_say(backup: Backup, comes_back: Check, snapshots: Snapshots) -> None:
    for mode in ("legacy", "data", "metadata", "metadata", "data", "legacy"):
        backup(mode)
        expected = (
            ["root.pxar.didx", "catalog.pcat1.didx"] if mode == "legacy" else ["root.ppxar.didx", "root.mpxar.didx"]
        )
        assert files(snapshots()[-1]) == expected
        comes_back()


def test_the_log_of_the_first_two_backups(backup: Backup) -> None:
    first, second = backup("metadata"), backup("metadata")
    assert re.search(r"^Upload directory '.*' to '.*' as root\.mpxar\.didx\nroot\.mpxar: had to backup ", first, re.M)
    assert "reference" not in first
    lines = second.splitlines()
    lines = lines[lines.index("Using previous index as metadata reference for 'root.mpxar.didx'") + 1 :]
    assert lines[:4] == [
        "Change detection summary:",
        " - 4 total files (1 hardlinks)",
        " - 3 unchanged, reusable files with 2.199 MiB data",
        " - 0 changed or non-reusable files with 0 B data",
    ]
    assert lines[4] == " - 32 B padding in 1 partially reused chunks"
    assert lines[5].startswith("root.mpxar: had to backup ")
    assert lines[6] == "root.ppxar: reused 2.199 MiB from previous snapshot for unchanged files (1 chunks)"
    assert lines[7].startswith("root.ppxar: had to backup 32 B of 2.199 MiB (compressed ")
    assert lines[8].startswith("Duration: ")


def test_images_and_files_do_not_care(site: BackupSite, image: Path, tree: Path, tmp_path: Path) -> None:
    sources = (f"disk.img:{image}", f"root.pxar:{tree}", f"vm.conf:{tree / 'etc' / 'hosts'}")
    site.succeed("backup", *sources, "--backup-id", tmp_path.name, "--change-detection-mode", "data")
    (snapshot,) = site.snapshots(f"host/{tmp_path.name}")
    assert files(snapshot) == ["disk.img.fidx", "root.ppxar.didx", "root.mpxar.didx", "vm.conf.blob"]
    outcome = site.succeed("backup", *sources, "--backup-id", "dry", "--change-detection-mode", "data", "--dry-run")
    assert "as root.pxar.didx\n" in outcome.stderr


def test_a_mode_that_is_none(site: BackupSite, tree: Path) -> None:
    assert "legacy, data, metadata" in site.error("backup", f"root.pxar:{tree}", "--change-detection-mode", "fast")


def test_unchanged_files_are_not_read(
    backup: Backup, site: BackupSite, snapshots: Snapshots, tree: Path, tmp_path: Path
) -> None:
    backup("data")
    noise = tree / "noise"
    facts = noise.stat()
    noise.write_bytes(noise.read_bytes()[::-1])
    os.utime(noise, ns=(facts.st_atime_ns, facts.st_mtime_ns))
    backup("metadata")
    site.succeed("restore", newest(snapshots()), "root.pxar", tmp_path / "back")
    assert (tmp_path / "back" / "noise").read_bytes() == noise.read_bytes()[::-1]
    backup("data")
    site.succeed("restore", newest(snapshots()), "root.pxar", tmp_path / "read")
    assert (tmp_path / "read" / "noise").read_bytes() == noise.read_bytes()


# What cannot be used of a previous backup


def without_reference(log: str, reason: str) -> None:
    """The log says why, and nothing else of change detection."""
    assert f"{reason}, continue without reference\n" in log
    assert "Using previous index" not in log
    assert "Change detection summary" not in log


def test_after_a_legacy_backup_everything_is_read(backup: Backup, comes_back: Check) -> None:
    backup("legacy")
    log = backup("metadata")
    for part in ("mpxar", "ppxar"):
        assert f"Previous manifest does not contain an archive called 'root.{part}.didx', skipping download..\n" in log
    assert "reference" not in log
    comes_back()


def test_another_crypt_mode(backup: Backup, comes_back: Check, key: Path) -> None:
    backup("metadata")
    without_reference(backup("metadata", "--keyfile", key), "Crypt mode mismatch")
    comes_back("--keyfile", key)
    assert "Using previous index" in backup("metadata", "--keyfile", key)
    comes_back("--keyfile", key)
    log = backup("metadata", "--keyfile", key, "--crypt-mode", "sign-only")
    without_reference(log, "Crypt mode mismatch")
    log = backup("metadata")
    assert "Couldn't re-use previous manifest - missing key" in log
    assert "reference" not in log
    comes_back()


def test_a_manifest_whose_signature_was_taken_away(backup: Backup, snapshots: Snapshots, key: Path) -> None:
    def take_away(manifest: Manifest) -> None:
        manifest.signature = None
        del manifest.unprotected["key-fingerprint"]

    options = ("--keyfile", key, "--crypt-mode", "sign-only")
    backup("metadata", *options)
    change_manifest(snapshots()[-1], take_away)
    without_reference(backup("metadata", *options), "Previous manifest is not signed")


def test_a_manifest_without_the_payload(backup: Backup, comes_back: Check, snapshots: Snapshots) -> None:
    def take_away(manifest: Manifest) -> None:
        del manifest._files["root.ppxar.didx"]

    backup("metadata")
    change_manifest(snapshots()[-1], take_away)
    without_reference(backup("metadata"), "No previous payload index found in manifest")
    comes_back()


@pytest.mark.parametrize("part", ["mpxar", "ppxar"])
@pytest.mark.parametrize("damage", ["gone", "truncated", "other"])
def test_a_broken_index(
    backup: Backup,
    comes_back: Check,
    snapshots: Snapshots,
    part: str,
    damage: str,
) -> None:
    backup("metadata")
    path = snapshots()[-1] / f"root.{part}.didx"
    data = path.read_bytes()
    if damage == "gone":
        path.unlink()
    else:
        path.write_bytes(data[:-1] if damage == "truncated" else data[:-1] + bytes([data[-1] ^ 1]))
    log = backup("metadata")
    assert f"root.{part}.didx from previous" in log
    name = "metadata" if part == "mpxar" else "payload"
    without_reference(log, f"No previous {name} index")
    comes_back()


def test_a_damaged_chunk_of_the_previous_metadata(
    backup: Backup, comes_back: Check, site: BackupSite, tree: Path
) -> None:
    (tree / "unique").write_text(tree.name * 100)
    before = set((site.store / ".chunks").glob("*/*"))
    log = backup("metadata")
    assert "warning" not in log
    chunks = set((site.store / ".chunks").glob("*/*")) - before
    kept = {chunk: chunk.read_bytes() for chunk in chunks}
    for chunk, data in kept.items():
        chunk.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    log = backup("metadata")
    assert "all further files are read, as the previous archive cannot be: " in log
    for chunk, data in kept.items():
        chunk.write_bytes(data)
    comes_back()


def test_a_user_who_may_only_back_up(site: BackupSite, tree: Path, tmp_path: Path) -> None:
    """The reader session on the previous snapshot needs no more than that, and that the group is the user's own."""
    site.server.create_user("writer@pbs", PASSWORD)
    site.server.grant("/datastore/main", "writer@pbs", "DatastoreBackup")
    own = {"PBS_REPOSITORY": site.environment["PBS_REPOSITORY"].replace("archiver@", "writer@")}
    for number in range(2):
        fixed = ("--backup-id", tmp_path.name, "--backup-time", str(next(TIMES)), "--change-detection-mode", "metadata")
        log = site.succeed("backup", f"root.pxar:{tree}", *fixed, **own).stderr
        assert ("Using previous index as metadata reference" in log) == (number == 1)


@pytest.fixture
def endless(tmp_path: Path) -> Path:
    """A tree that takes much longer to read than any test; it takes no room."""
    root = tmp_path / "endless"
    root.mkdir()
    with (root / "file").open("wb") as file:
        file.truncate(1 << 40)
    return root


def test_kill_the_client(backup: Backup, comes_back: Check, site: BackupSite, endless: Path, tmp_path: Path) -> None:
    group = f"host/{tmp_path.name}"
    backup("data")
    chunks = site.chunk_count()
    fixed = ("--backup-id", tmp_path.name, "--backup-time", str(next(TIMES)), "--change-detection-mode", "metadata")
    client = site.start("backup", f"root.pxar:{endless}", *fixed)
    wait_until(lambda: len(site.snapshots(group)) == 2)
    wait_until(lambda: site.chunk_count() > chunks)
    client.kill()
    client.communicate(timeout=20)
    wait_until(lambda: len(site.snapshots(group)) == 1)
    assert "Using previous index" in backup("metadata")
    comes_back()
