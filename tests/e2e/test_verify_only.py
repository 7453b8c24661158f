"""`restore --verify-only`: everything is read and checked, nothing is written."""

import os
from pathlib import Path

import pytest

from backup_site import BackupSite, newest
from e2e.split_backups import TIMES
from tree_snapshot import tree_snapshot

pytestmark = pytest.mark.slow


class Backups:
    """Makes snapshots of a tree, an image and a file, and damages them."""

    def __init__(self, site: BackupSite, tree: Path, image: Path, work: Path):
        self.site = site
        self.tree = tree
        self.image = image
        self.work = work
        self.group = work.name

    def make(self, *options: str | Path) -> str:
        """A new snapshot, whose chunks nobody else has."""
        (self.tree / "only here").write_bytes(os.urandom(300_000))
        (self.work / "disk.img").write_bytes(os.urandom(100_000) + self.image.read_bytes())
        (self.work / "vm.conf").write_text("cores: 2\n")
        archives = (
            f"root.pxar:{self.tree}",
            f"disk.img:{self.work / 'disk.img'}",
            f"vm.conf:{self.work / 'vm.conf'}",
        )
        words = ("--backup-id", self.group, "--backup-time", str(next(TIMES)))
        self.site.succeed("backup", *archives, *words, *options)
        return newest(self.site.snapshots(f"host/{self.group}"))

    def damage_chunk_of(self, snapshot: str, file_name: str, number: int = 0) -> str:
        """Flip a bit in a chunk that a fixed index lists; its name."""
        index = (self.site.store / snapshot / file_name).read_bytes()
        name = index[4096 + 32 * number :][:32].hex()
        chunk = self.site.store / ".chunks" / name[:4] / name
        content = bytearray(chunk.read_bytes())
        content[-1] ^= 1
        chunk.chmod(0o644)
        chunk.write_bytes(content)
        return name


@pytest.fixture
def backups(site: BackupSite, tree: Path, image: Path, tmp_path: Path) -> Backups:
    return Backups(site, tree, image, tmp_path)


@pytest.mark.parametrize("mode", ["legacy", "metadata"])
@pytest.mark.parametrize("crypt", ["none", "sign-only", "encrypt"])
def test_a_whole_snapshot_passes(backups: Backups, key: Path, mode: str, crypt: str) -> None:
    keys: tuple[str | Path, ...] = () if crypt == "none" else ("--keyfile", key, "--crypt-mode", crypt)
    snapshot = backups.make("--change-detection-mode", mode, *keys)
    before = tree_snapshot(backups.work)
    outcome = backups.site.succeed("restore", snapshot, "--verify-only", *keys)
    lines = outcome.stderr.splitlines()
    entries = len(tree_snapshot(backups.tree))
    assert any(line.startswith("root.pxar: ok (") and line.endswith(f", {entries} entries)") for line in lines)
    assert any(line.startswith("disk.img: ok (") for line in lines)
    assert "vm.conf: ok (9 B)" in lines
    count = 4 if mode == "legacy" else 3
    assert lines[-1].startswith(f"checked {count} archives of {snapshot}, ")
    assert (outcome.stdout, tree_snapshot(backups.work)) == ("", before)


def test_one_archive_can_be_checked_and_the_target_is_left_alone(backups: Backups) -> None:
    snapshot = backups.make()
    target = backups.work / "target"
    for words in ((), (target,), ("-",)):
        outcome = backups.site.succeed("restore", snapshot, "root.pxar", *words, "--verify-only")
        assert "disk.img" not in outcome.stderr
        assert outcome.stdout == ""
    assert not target.exists()
    assert "checked 0 archives" in backups.site.succeed("restore", snapshot, "index.json", "--verify-only").stderr


def test_damage_is_named_and_the_other_archives_are_checked_too(backups: Backups) -> None:
    snapshot = backups.make()
    name = backups.damage_chunk_of(snapshot, "disk.img.fidx")
    outcome = backups.site.run("restore", snapshot, "--verify-only")
    assert outcome.exit_code == 255
    lines = outcome.stderr.splitlines()
    damaged = [line for line in lines if "DAMAGED" in line]
    assert len(damaged) == 1
    assert damaged[0].startswith("disk.img: DAMAGED - ")
    assert name in damaged[0]
    assert sum(": ok (" in line for line in lines) == 3
    assert lines[-1] == f"Error: 1 of 4 archives of {snapshot} cannot be restored"
    assert backups.site.run("restore", snapshot, "root.pxar", "--verify-only").exit_code == 0


@pytest.mark.parametrize("file_name", ["root.mpxar.didx", "root.ppxar.didx", "disk.img.fidx", "vm.conf.blob"])
@pytest.mark.parametrize("how", ["gone", "cut", "changed"])
def test_every_file_counts(backups: Backups, file_name: str, how: str) -> None:
    snapshot = backups.make("--change-detection-mode", "data")
    path = backups.site.store / snapshot / file_name
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    if how == "gone":
        path.unlink()
    else:
        path.write_bytes(content[:-1] if how == "cut" else content)
    outcome = backups.site.run("restore", snapshot, "--verify-only")
    assert outcome.exit_code == 255
    assert outcome.stderr.splitlines()[-1] == f"Error: 1 of 3 archives of {snapshot} cannot be restored"


def test_without_its_key_nothing_can_be_said(backups: Backups, key: Path) -> None:
    snapshot = backups.make("--keyfile", key)
    assert "missing key" in backups.site.error("restore", snapshot, "--verify-only")


def test_an_archive_that_is_not_there_is_named(backups: Backups) -> None:
    snapshot = backups.make()
    assert "'none.img.fidx'" in backups.site.error("restore", snapshot, "none.img", "--verify-only")


def test_without_the_option_archive_and_target_are_needed(site: BackupSite) -> None:
    for words in (("host/x",), ("host/x", "--verify-only", "false")):
        outcome = site.run("restore", *words)
        assert outcome.exit_code == 255
        assert "- 'archive-name': missing argument\n- 'target': missing argument\n" in outcome.stderr.replace("  ", "")
