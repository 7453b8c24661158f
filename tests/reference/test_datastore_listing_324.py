"""Lists a datastore of release 3.2.4 and compares with what the original's API said of it."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pbstore.config.datastore_cfg import DatastoreConfig
from pbstore.datastore.datastore import Datastore
from pbstore.datastore.groups import list_groups, read_notes, read_owner
from pbstore.datastore.locks import lock_path
from pbstore.datastore.namespaces import list_namespaces
from pbstore.datastore.snapshot_info import SnapshotInfo, describe_snapshot
from pbstore.datastore.snapshots import list_snapshots
from pbstore.model.auth_id import AuthId
from pbstore.model.backup import BackupGroup, Snapshot
from pbstore.model.namespace import Namespace
from pbstore.model.unit_name import unescape_unit_name

ROOT = Namespace()


@pytest.fixture
def datastore(datastore_323: Path, tmp_path: Path) -> Iterator[Datastore]:
    path = tmp_path / "fix"
    shutil.copytree(datastore_323, path, symlinks=True)
    datastore = Datastore.open(DatastoreConfig("fix", {"path": str(path)}), tmp_path / "locks")
    yield datastore
    datastore.close()


def said(fixtures: Path, name: str) -> Any:
    return json.loads((fixtures / "api" / f"{name}.json").read_text())["data"]


def as_said(info: SnapshotInfo, owner: AuthId) -> dict[str, Any]:
    """The object of the API."""
    value: dict[str, Any] = {
        "backup-type": info.snapshot.group.backup_type.value,
        "backup-id": info.snapshot.group.backup_id,
        "backup-time": info.snapshot.backup_time,
        "files": [
            {"filename": file.filename}
            | ({} if file.crypt_mode is None else {"crypt-mode": file.crypt_mode.value})
            | ({} if file.size is None else {"size": file.size})
            for file in info.files
        ],
        "size": info.size,
        "owner": str(owner),
        "protected": info.is_protected,
    }
    optional = {
        "comment": info.comment,
        "verification": info.verification,
        "fingerprint": info.fingerprint and str(info.fingerprint),
    }
    return value | {key: text for key, text in optional.items() if text is not None}


def by_name(values: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(values, key=lambda value: [str(value.get(f"backup-{key}")) for key in ("type", "id", "time")])


def listed(datastore: Datastore, namespace: Namespace) -> list[dict[str, Any]]:
    return [
        as_said(describe_snapshot(datastore, namespace, snapshot), read_owner(datastore, namespace, group))
        for group in list_groups(datastore, namespace)
        for snapshot in list_snapshots(datastore, namespace, group)
    ]


@pytest.mark.parametrize(("namespace", "name"), [("", "snapshots"), ("ns1/sub", "snapshots_ns")])
def test_snapshots(datastore: Datastore, fixtures_323: Path, namespace: str, name: str) -> None:
    assert by_name(listed(datastore, Namespace.parse(namespace))) == by_name(said(fixtures_323, name))


def test_groups(datastore: Datastore, fixtures_323: Path) -> None:
    found = []
    for group in list_groups(datastore, ROOT):
        snapshots = list_snapshots(datastore, ROOT, group)
        newest = describe_snapshot(datastore, ROOT, snapshots[0])
        found.append(
            {
                "backup-count": len(snapshots),
                "backup-id": group.backup_id,
                "backup-type": group.backup_type.value,
                "files": {file.filename for file in newest.files},
                "last-backup": snapshots[0].backup_time,
                "owner": str(read_owner(datastore, ROOT, group)),
            }
        )
    expected = [value | {"files": set(value["files"])} for value in said(fixtures_323, "groups")]
    for value in expected:
        # The group's comment was set by a call after this answer was recorded.
        value.pop("comment", None)
    assert by_name(found) == by_name(expected)


def test_notes_of_a_group(datastore: Datastore, fixtures_323: Path) -> None:
    assert read_notes(datastore, ROOT, BackupGroup.parse("host/fixhost")) == said(fixtures_323, "group_notes")


def test_namespaces(datastore: Datastore, fixtures_323: Path) -> None:
    assert list(map(str, list_namespaces(datastore, ROOT))) == [
        value["ns"] for value in said(fixtures_323, "namespace")
    ]


def test_names_of_lock_files(fixtures_423: Path) -> None:
    """Every lock file that a running 4.2.3 had is one that we would use for the same thing."""
    base = Path("/run/proxmox-backup/locks")
    found = 0
    for line in (fixtures_423 / "cli/run-locks.txt").read_text().splitlines():
        store, *rest = Path(line).relative_to(base).parts or ("",)
        if not rest or (len(rest) == 1 and ":" in rest[0]) or rest == ["move-journal"]:
            continue
        namespace = Namespace(tuple(rest[0].split(":")) if len(rest) == 2 else ())
        relative = unescape_unit_name(rest[-1])
        if "/" not in relative:
            continue
        name = relative.removesuffix("/.index.json.lck")
        assert str(Snapshot.parse(name) if name.count("/") == 2 else BackupGroup.parse(name)) == name
        assert str(lock_path(base / store, namespace, relative)) == line
        found += 1
    assert found > 100
