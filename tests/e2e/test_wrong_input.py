"""Wrong keys, passwords, fingerprints, names and servers: one clear line, exit code 255, nothing left behind."""

import socket
from pathlib import Path

import pytest

from backup_site import BackupSite, newest

pytestmark = pytest.mark.slow


@pytest.fixture
def snapshot(site: BackupSite, image: Path, key: Path, request: pytest.FixtureRequest) -> str:
    """An encrypted backup."""
    group = f"wrong-{request.node.name}"
    site.succeed("backup", f"disk.img:{image}", "--backup-id", group, "--keyfile", key)
    return newest(site.snapshots(f"host/{group}"))


def test_another_key_is_named(site: BackupSite, snapshot: str, tmp_path: Path) -> None:
    other = tmp_path / "other.json"
    site.succeed("key", "create", other, "--kdf", "none")
    line = site.error("restore", snapshot, "disk.img", tmp_path / "out.img", "--keyfile", other)
    assert line.startswith("Error: wrong key - unable to verify signature since manifest's key ")
    assert not (tmp_path / "out.img").exists()


def test_a_missing_key_is_named(site: BackupSite, snapshot: str, tmp_path: Path) -> None:
    line = site.error("restore", snapshot, "disk.img", tmp_path / "out.img")
    assert line.startswith("Error: missing key - manifest was created with key ")
    assert not (tmp_path / "out.img").exists()


def test_a_wrong_password_is_refused(site: BackupSite) -> None:
    assert "permission check failed" in site.error("list", PBS_PASSWORD="wrong-password")


def test_a_wrong_fingerprint_is_refused(site: BackupSite) -> None:
    assert "fingerprint" in site.error("list", PBS_FINGERPRINT=":".join(["00"] * 32)).lower()


def test_an_unknown_datastore_is_named(site: BackupSite, image: Path) -> None:
    repository = f"archiver@pbs@127.0.0.1:{site.server.port}:nowhere"
    line = site.error("backup", f"disk.img:{image}", PBS_REPOSITORY=repository)
    assert line in ("Error: no such datastore 'nowhere'", "Error: permission check failed")


def test_a_server_that_is_gone_is_named(site: BackupSite) -> None:
    with socket.socket() as place:
        place.bind(("127.0.0.1", 0))
        port = place.getsockname()[1]
        line = site.error("list", PBS_REPOSITORY=f"archiver@pbs@127.0.0.1:{port}:main")
    assert f"127.0.0.1:{port}" in line


def test_an_existing_target_stays_as_it_is(site: BackupSite, snapshot: str, key: Path, tmp_path: Path) -> None:
    target = tmp_path / "out.img"
    target.write_text("mine")
    assert "File exists" in site.error("restore", snapshot, "disk.img", target, "--keyfile", key)
    assert target.read_text() == "mine"


def test_a_missing_source_leaves_no_snapshot(site: BackupSite, tmp_path: Path) -> None:
    line = site.error("backup", f"disk.img:{tmp_path / 'none'}", "--backup-id", "nosource")
    assert "unable to access" in line
    assert site.snapshots("host/nosource") == []


def test_a_damaged_chunk_is_named_and_nothing_is_kept(site: BackupSite, tmp_path: Path, key: Path) -> None:
    image = tmp_path / "damaged.img"
    image.write_bytes(b"damage me " * 1000)
    known = set((site.store / ".chunks").glob("*/*"))
    site.succeed("backup", f"disk.img:{image}", "--backup-id", "damaged", "--keyfile", key)
    (chunk,) = set((site.store / ".chunks").glob("*/*")) - known
    content = bytearray(chunk.read_bytes())
    content[-1] ^= 1
    chunk.write_bytes(content)
    snapshot = newest(site.snapshots("host/damaged"))
    line = site.error("restore", snapshot, "disk.img", tmp_path / "out.img", "--keyfile", key)
    assert chunk.name in line
    assert not (tmp_path / "out.img").exists()
