"""Restoring split archives with the command line: names, patterns, prelude, damage."""

import os
import re
from pathlib import Path

import pytest

from backup_site import BackupSite, newest
from e2e.split_backups import Backup, Snapshots
from tree_snapshot import tree_snapshot

pytestmark = pytest.mark.slow


def test_restoring_by_the_names_of_the_parts(
    backup: Backup, site: BackupSite, snapshots: Snapshots, tree: Path, tmp_path: Path
) -> None:
    backup("data")
    snapshot = newest(snapshots())
    for number, name in enumerate(["root.mpxar", "root.mpxar.didx", "root.ppxar", "root.pxar.didx"]):
        site.succeed("restore", snapshot, name, tmp_path / str(number))
        assert tree_snapshot(tmp_path / str(number)) == tree_snapshot(tree)
        assert site.error("restore", snapshot, name, "-") == "Error: unable to pipe split archive"
    assert "manifest does not contain file 'other.pxar.didx'" in site.error(
        "restore", snapshot, "other.pxar", tmp_path / "x"
    )


@pytest.mark.parametrize("mode", ["legacy", "data"])
def test_patterns(
    backup: Backup,
    site: BackupSite,
    snapshots: Snapshots,
    tree: Path,
    tmp_path: Path,
    mode: str,
) -> None:
    backup(mode)
    snapshot, target = newest(snapshots()), tmp_path / "back"
    site.succeed("restore", snapshot, "root.pxar", target, "--pattern", "/etc/h*", "--pattern", "!/etc/hosts")
    assert [path.name for path in target.rglob("*")] == ["etc", "hard"]
    assert (target / "etc" / "hard").read_bytes() == (tree / "etc" / "hosts").read_bytes()
    assert "patterns" in site.error("restore", snapshot, "index.json", tmp_path / "x", "--pattern", "a")
    assert "pattern" in site.error("restore", snapshot, "root.pxar", tmp_path / "x", "--pattern", "[a")
    if mode == "legacy":
        assert "patterns" in site.error("restore", snapshot, "root.pxar", "-", "--pattern", "a")


def test_the_prelude(backup: Backup, site: BackupSite, snapshots: Snapshots, tmp_path: Path) -> None:
    prelude = tmp_path / "prelude"
    backup("data", "--exclude", "*.tmp", "--exclude", "/cache")
    site.succeed("restore", newest(snapshots()), "root.pxar", tmp_path / "1", "--prelude-target", prelude)
    assert prelude.read_bytes() == b'{"exclude-patterns":"*.tmp\\n/cache\\n"}'
    error = site.error("restore", newest(snapshots()), "root.pxar", tmp_path / "2", "--prelude-target", prelude)
    assert error == f"Error: unable to create target file '{prelude}' - File exists"
    assert not (tmp_path / "2").exists()
    for number, mode in enumerate(["data", "legacy"]):
        backup(mode)
        options = ("--prelude-target", tmp_path / "none")
        log = site.succeed("restore", newest(snapshots()), "root.pxar", tmp_path / f"none-{number}", *options).stderr
        assert "No prelude entry found, skip prelude restore.\n" in log
        assert not (tmp_path / "none").exists()


def test_a_damaged_payload_chunk_is_named_and_leaves_nothing(
    backup: Backup, site: BackupSite, snapshots: Snapshots, tree: Path, tmp_path: Path
) -> None:
    (tree / "unique").write_bytes(os.urandom(3 << 20))
    before = set((site.store / ".chunks").glob("*/*"))
    backup("data")
    chunk = max(set((site.store / ".chunks").glob("*/*")) - before, key=lambda path: path.stat().st_size)
    chunk.write_bytes(chunk.read_bytes()[:-1])
    error = site.error("restore", newest(snapshots()), "root.pxar", tmp_path / "back")
    assert re.search(rf"root\.ppxar: chunk \d+ \({chunk.name}\)", error)
    assert not (tmp_path / "back").exists()
    chunk.unlink()
