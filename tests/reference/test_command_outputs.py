"""Tables and JSON of our commands against what the original programs printed, byte for byte."""

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pbstore.cli.output_format import json_text
from pbstore.cli.proxmox_backup_client import list_groups, snapshot_files, snapshot_list, status
from pbstore.cli.table import Column, TableStyle, render_table
from pbstore.client.listing import FileListing, GroupListing, SnapshotListing

STYLE = TableStyle()


def commands_of(capture: Path) -> dict[str, str]:
    """Standard output by command of a file of captured runs."""
    runs = re.findall(
        r"^\$ (.*?)\n--- stdout\n(.*?)--- stderr\n(?:.*?)--- exit \d+$", capture.read_text(), re.DOTALL | re.MULTILINE
    )
    return dict(runs)


def groups_table(rows: Sequence[dict[str, Any]]) -> str:
    listing = [GroupListing.from_wire(row) for row in rows]
    return render_table(list_groups.COLUMNS, list_groups.table_rows(listing), STYLE)


def snapshots_table(rows: Sequence[dict[str, Any]]) -> str:
    listing = [SnapshotListing.from_wire(row) for row in rows]
    return render_table(snapshot_list.COLUMNS, snapshot_list.table_rows(listing), STYLE)


def files_table(rows: Sequence[dict[str, Any]]) -> str:
    listing = [FileListing.from_wire(row) for row in rows]
    return render_table(snapshot_files.COLUMNS, snapshot_files.table_rows(listing), STYLE)


@pytest.mark.parametrize(
    ("name", "table"), [("group-list", groups_table), ("snapshot-list", snapshots_table)], ids=["groups", "snapshots"]
)
def test_lists_of_3_2_4(fixtures_323: Path, name: str, table: Callable[[list[dict[str, Any]]], str]) -> None:
    rows = json.loads((fixtures_323 / "store-out" / f"{name}.json").read_text())
    assert table(rows) == (fixtures_323 / "store-out" / f"{name}.txt").read_text()


def test_files_of_every_snapshot_of_3_2_4(fixtures_323: Path) -> None:
    captured = sorted((fixtures_323 / "store-out").glob("*.files.txt"))
    assert captured
    for path in captured:
        rows = json.loads(path.with_suffix(".json").read_text())
        assert files_table(rows) == path.read_text(), path.name


@pytest.mark.parametrize(
    ("name", "command", "table"),
    [
        ("list", "proxmox-backup-client list", groups_table),
        ("snapshot-list", "proxmox-backup-client snapshot list", snapshots_table),
        (
            "snapshot-files",
            "proxmox-backup-client snapshot files host/split/2026-06-01T08:00:00Z",
            files_table,
        ),
    ],
    ids=["groups", "snapshots", "files"],
)
def test_lists_of_4_2_3(
    fixtures_423: Path, name: str, command: str, table: Callable[[list[dict[str, Any]]], str]
) -> None:
    runs = commands_of(fixtures_423 / "cli" / f"{name}.txt")
    compact, pretty = (runs[f"{command} --output-format {kind}"] for kind in ("json", "json-pretty"))
    rows = json.loads(compact)
    assert table(rows) == runs[command]
    assert json_text(rows, "json") + "\n" == compact
    assert json_text(json.loads(pretty), "json-pretty") + "\n" == pretty


def test_status_of_4_2_3(fixtures_423: Path) -> None:
    captured = commands_of(fixtures_423 / "cli" / "status.txt")["proxmox-backup-client status"]
    total, used, avail = (int(number) for number in re.findall(r"\d{4,}", captured))
    rows = status.table_rows({"total": total, "used": used, "avail": avail})
    assert render_table(status.COLUMNS, rows, replace(STYLE, header=False)) == captured


def test_prune_table_of_3_2_4_is_aligned_alike(fixtures_323: Path) -> None:
    log = (fixtures_323 / "store-out" / "01-restore-checks.log").read_text()
    table = log.partition("## prune dry run:\n")[2].partition("[{")[0]
    columns = (Column(name="snapshot"), Column(name="date", right=True), Column(name="action", right=True))
    rows = [
        {"snapshot": "host/fixhost/2024-06-05T14:24:36Z", "date": "Wed Jun  5 14:24:36 2024", "action": "keep"},
        {"snapshot": "host/fixhost/2024-06-06T14:24:36Z", "date": "Thu Jun  6 14:24:36 2024", "action": "keep"},
    ]
    assert render_table(columns, rows, STYLE) == table
