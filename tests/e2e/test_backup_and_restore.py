"""What a user does: back up, list, restore, with and without keys, over a real server."""

import itertools
import subprocess
from pathlib import Path

import pytest

from backup_site import BackupSite, newest
from pbstore.format.master_key import create_master_key
from terminal import type_at
from tree_snapshot import tree_snapshot

MASTER_PASSWORD = "master-password"


def back_up(site: BackupSite, backup_id: str, *words: str | Path) -> str:
    """Make a snapshot and return its name; each second has room for one in a group."""
    before = site.snapshots(f"host/{backup_id}")
    time = ("--backup-time", str(1_700_000_000 + len(before)))
    site.succeed("backup", *words, "--backup-id", backup_id, *time)
    after = site.snapshots(f"host/{backup_id}")
    assert len(after) == len(before) + 1
    return newest(after)


@pytest.mark.parametrize("mode", ["none", "sign-only", "encrypt"])
def test_what_was_backed_up_comes_back(
    site: BackupSite, tree: Path, image: Path, key: Path, tmp_path: Path, mode: str
) -> None:
    keys: tuple[str | Path, ...] = () if mode == "none" else ("--keyfile", key, "--crypt-mode", mode)
    conf = tmp_path / "vm.conf"
    conf.write_text("cores: 2\n")
    archives = (f"tree.pxar:{tree}", f"disk.img:{image}", f"vm.conf:{conf}")
    snapshot = back_up(site, f"round-{mode}", *archives, *keys)
    use_key = () if mode == "none" else ("--keyfile", key)
    (tmp_path / "out").mkdir()
    for name in ("tree.pxar", "disk.img", "vm.conf"):
        site.succeed("restore", snapshot, name, tmp_path / "out" / name, *use_key)
    assert tree_snapshot(tmp_path / "out" / "tree.pxar") == tree_snapshot(tree)
    assert (tmp_path / "out" / "disk.img").read_bytes() == image.read_bytes()
    assert (tmp_path / "out" / "vm.conf").read_text() == "cores: 2\n"
    assert site.succeed("restore", snapshot, "vm.conf", "-", *use_key).stdout == "cores: 2\n"
    assert site.succeed("restore", snapshot, "disk.img", "-", *use_key).raw_stdout == image.read_bytes()
    files = site.succeed("snapshot", "files", snapshot, "--output-format", "json").stdout
    assert files.count(f'"crypt-mode":"{mode}"') >= 4


def test_a_second_backup_sends_nothing(site: BackupSite, tree: Path, image: Path, key: Path) -> None:
    archives = (f"tree.pxar:{tree}", f"disk.img:{image}")
    back_up(site, "again", *archives, "--keyfile", key)
    before = site.chunk_count()
    words = (*archives, "--backup-id", "again", "--backup-time", "1700000009", "--keyfile", key)
    log = site.succeed("backup", *words).stderr
    assert "tree.pxar: had to backup 0 B of" in log
    assert "disk.img: had to backup 0 B of" in log
    assert site.chunk_count() - before <= 1  # the catalog is always sent anew, and equal here


def test_r33_the_master_key_alone_recovers_everything(site: BackupSite, image: Path, key: Path, tmp_path: Path) -> None:
    public, private = create_master_key(MASTER_PASSWORD)
    (tmp_path / "private.pem").write_bytes(private)
    (tmp_path / "public.pem").write_bytes(public)
    master = ("--master-pubkey-file", tmp_path / "public.pem")
    snapshot = back_up(site, "master", f"disk.img:{image}", "--keyfile", key, *master)
    key.unlink()
    encrypted = tmp_path / "rsa-encrypted.key"
    site.succeed("restore", snapshot, "rsa-encrypted.key", encrypted)
    recovered = tmp_path / "recovered.json"
    words = ("key", "import-with-master-key", recovered, "--kdf", "none")
    files = ("--master-keyfile", tmp_path / "private.pem", "--encrypted-keyfile", encrypted)
    command = site.client.command(*words, *files)
    exit_code, shown = type_at(command, [MASTER_PASSWORD.encode() + b"\r"], site.client.variables(site.environment))
    assert exit_code == 0, shown
    site.succeed("restore", snapshot, "disk.img", tmp_path / "restored.img", "--keyfile", recovered)
    assert (tmp_path / "restored.img").read_bytes() == image.read_bytes()


def test_r35_r36_keys_share_a_store_but_no_chunks(site: BackupSite, tmp_path: Path) -> None:
    image = tmp_path / "unique.img"
    image.write_bytes(b"only in this test " * 100_000)
    key_a, key_b = tmp_path / "a.json", tmp_path / "b.json"
    for path in (key_a, key_b):
        site.succeed("key", "create", path, "--kdf", "none")
    counts = [site.chunk_count()]
    for number, keys in enumerate(((), ("--keyfile", key_a), ("--keyfile", key_b), ("--keyfile", key_b))):
        back_up(site, f"shared-{number}", f"disk.img:{image}", *keys)
        counts.append(site.chunk_count())
    assert [after - before for before, after in itertools.pairwise(counts)] == [1, 1, 1, 0]


def test_r27_the_store_holds_no_readable_byte(site: BackupSite, tmp_path: Path, key: Path) -> None:
    secret = b"a sentence that nobody but the owner of the key may read"
    image = tmp_path / "secret.img"
    image.write_bytes(secret * 10)
    conf = tmp_path / "secret.conf"
    conf.write_bytes(secret)
    back_up(site, "secret", f"disk.img:{image}", f"vm.conf:{conf}", "--keyfile", key)
    found = subprocess.run(["grep", "-rlF", secret.decode(), site.store], capture_output=True, text=True, check=False)
    assert (found.stdout, found.returncode) == ("", 1)


def test_lists(site: BackupSite, image: Path) -> None:
    snapshot = back_up(site, "listed", f"disk.img:{image}")
    assert snapshot in site.succeed("snapshot", "list", "host/listed").stdout
    assert "host/listed" in site.succeed("list").stdout
    assert '"backup-id":"listed"' in site.succeed("snapshot", "list", "host/listed", "--output-format", "json").stdout


def test_a_snapshot_that_is_not_finished_is_not_restored(site: BackupSite, image: Path, tmp_path: Path) -> None:
    names = ("--backup-id", "unfinished", "--backup-time")
    site.succeed("backup", f"disk.img:{image}", *names, "1700000000")
    site.succeed("backup", f"disk.img:{image}", *names, "1700000100")
    (site.store / "host" / "unfinished" / "2023-11-14T22:15:00Z" / "index.json.blob").unlink()
    outcome = site.succeed("restore", "host/unfinished", "disk.img", tmp_path / "back.img")
    skipped = "host/unfinished/2023-11-14T22:15:00Z"
    assert outcome.stderr.startswith(f"skipping snapshot {skipped}, which is not finished\n")
    assert (tmp_path / "back.img").read_bytes() == image.read_bytes()
