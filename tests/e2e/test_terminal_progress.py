"""What somebody at a terminal sees of a backup and a restore."""

from pathlib import Path

import pytest

from backup_site import BackupSite, newest
from terminal import type_at

pytestmark = pytest.mark.slow


def test_a_backup_ends_with_a_summary_and_warnings_stay(site: BackupSite, tree: Path, image: Path) -> None:
    (tree / ".pxarexclude").write_text("[bad\n")
    sources = (f"root.pxar:{tree}", f"disk.img:{image}")
    command = site.client.command("backup", *sources, "--backup-id", "terminal")
    code, shown = type_at(command, [], site.client.variables(site.environment | {"TERM": "xterm"}))
    assert code == 0, shown
    (summary,) = [line for line in shown.splitlines() if "Summary: " in line]
    entries = sum(1 for _ in tree.rglob("*")) + 1
    text = summary.partition("Summary: ")[2]
    assert text.startswith(f"2 archives, {entries} files and directories, 11.")
    assert text.endswith(", 1 warning")
    assert "[bad" in shown
    command = site.client.command("restore", newest(site.snapshots("host/terminal")), "disk.img", "-")
    code, shown = type_at(command, [], site.client.variables(site.environment))
    assert code == 0
    assert "restore complete (" in shown
