"""The original's store taken over in place, used by our server as root, and given back."""

import os
import re
import shutil
import signal
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from backup_site import PASSWORD, BackupSite
from command_runner import Runner
from memory_directory import memory_directory
from pbstore.cli.proxmox_backup_client.main import PROGRAM as CLIENT
from pbstore.cli.proxmox_backup_manager.main import PROGRAM as MANAGER
from pbstore.config.file_kind import service_owner
from pbstore.config.roots import Roots

pytestmark = [
    pytest.mark.root,
    pytest.mark.slow,
    pytest.mark.timeout(300),
    pytest.mark.skipif(service_owner() is None, reason="files are given to the user 'backup': run as root"),
]
STORE = "/api2/json/admin/datastore/main"
PROTECTED = {"backup-type": "host", "backup-id": "prot", "backup-time": 1780300800}
LAYOUT = re.compile(
    r"\.lock|\.gc-status|\.chunks(/[0-9a-f]{4}(/[0-9a-f]{64})?)?"
    r"|(ns/\w+/)*((ns(/\w+)?)|(vm|ct|host)(/\w+(/(owner|notes|[0-9TZ:-]+(/(\.protected|[\w.-]+\.(blob|[fd]idx)))?))?)?)"
)


@dataclass(frozen=True)
class Owned:
    """What must not change when a store changes hands."""

    mode: int
    uid: int
    gid: int


def state_of(root: Path) -> dict[str, Owned]:
    """Mode and owner of everything in the store."""
    found = {}
    for path in (root, *root.rglob("*")):
        status = path.lstat()
        found[str(path.relative_to(root))] = Owned(stat.S_IMODE(status.st_mode), status.st_uid, status.st_gid)
    return found


@pytest.fixture
def store(datastore_423: Path) -> Iterator[Path]:
    """The store of release 4.2.3 as its server had it: all chunk directories, everything owned by backup."""
    owner = service_owner()
    assert owner is not None
    with memory_directory() as directory:
        root = directory / "fix42"
        shutil.copytree(datastore_423, root)
        for prefix in range(1 << 16):
            (root / ".chunks" / f"{prefix:04x}").mkdir(exist_ok=True)
        for path in (root, *root.rglob("*")):
            os.chown(path, *owner)
        for path in (root / ".chunks", *(root / ".chunks").iterdir()):
            path.chmod(0o750)
        root.chmod(0o755)
        yield root


def test_taken_over_used_and_given_back(store: Path, tmp_path: Path, server_certificate: Roots) -> None:
    owner, before = service_owner(), state_of(store)
    site = BackupSite(tmp_path, store, server_certificate, Runner(CLIENT))
    environment = {"PBSTORE_ROOT": str(site.server.root)}
    manager = Runner(MANAGER)
    try:
        assert manager("datastore", "remove", "main", "--keep-job-configs", environment=environment).exit_code == 0
        made = manager("datastore", "create", "main", store, "--reuse-datastore", environment=environment)
        assert made.exit_code == 0, made
        _use(site, tmp_path)
        assert manager("datastore", "remove", "main", environment=environment).exit_code == 0
    finally:
        site.server.stop(signal.SIGTERM)
    after = state_of(store)
    assert {path: state for path, state in after.items() if path in before} == before
    new = {path: state for path, state in after.items() if path not in before}
    assert any(path.startswith(".chunks/") for path in new)
    for path, state in new.items():
        expected = 0o644 if (store / path).is_file() else 0o755
        assert state == Owned(expected, *(owner or ())), path
    assert [path for path in after if path != "." and not LAYOUT.fullmatch(path)] == []


def _use(site: BackupSite, work: Path) -> None:
    """Back up, note, protect, move, remove: whatever makes or changes a file."""
    (work / "note.conf").write_text("a note")
    (work / "disk.img").write_bytes(os.urandom(5 << 20))
    (work / "tree").mkdir()
    (work / "tree/file").write_text("content")
    headers = site.server.login("archiver@pbs", PASSWORD)

    def call(method: str, path: str, **parameters: object) -> None:
        named = {name.replace("_", "-"): value for name, value in parameters.items()}
        answer = site.server.request(method, f"{STORE}/{path}", named, headers=headers)
        assert answer.status == 200, answer

    specs = [f"note.conf:{work}/note.conf", f"disk.img:{work}/disk.img", f"tree.pxar:{work}/tree"]
    site.succeed("backup", *specs, "--backup-id", "new")
    call("POST", "namespace", name="ns3")
    site.succeed("backup", *specs, "--backup-id", "new", "--ns", "ns3")
    site.succeed("backup", specs[0], "--backup-id", "moved")
    call("POST", "move-group", backup_type="host", backup_id="moved", target_ns="ns3")
    site.succeed("backup", specs[0], "--backup-id", "gone")
    call("DELETE", "groups", backup_type="host", backup_id="gone")
    call("PUT", "notes", **PROTECTED, notes="other notes")
    call("PUT", "protected", backup_type="host", backup_id="split", backup_time=1780387200, protected=1)
    call("PUT", "group-notes", backup_type="vm", backup_id="100", notes="group notes")
    call("POST", "change-owner", backup_type="ct", backup_id="101", new_owner="archiver@pbs")
