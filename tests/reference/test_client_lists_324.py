"""What our client prints of a datastore of 3.2.4, served in place by our server, against what the original printed."""

import json
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from command_runner import Runner
from pbstore.cli.proxmox_backup_client.main import PROGRAM
from pbstore.config.roots import Roots
from reference.client_runs import OriginalSite
from running_server import RunningServer

# Many runs of the real program.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def site(
    datastore_323: Path, tmp_path_factory: pytest.TempPathFactory, server_certificate: Roots
) -> Iterator[OriginalSite]:
    """The store, copied, behind a server of ours."""
    work = tmp_path_factory.mktemp("client-lists-324")
    shutil.copytree(datastore_323, work / "store", symlinks=True)
    server = RunningServer(work / "server")
    for path in (server_certificate.certificate, server_certificate.certificate_key):
        shutil.copy2(path, server.roots.config_dir / path.name)
    yield OriginalSite(server, work, Runner(PROGRAM, installed=True), {"fix": work / "store"}, "fix")
    server.stop(signal.SIGKILL)


def snapshot_of(path: Path) -> str:
    backup_type, backup_id, time = path.name.split(".")[0].split("_", 2)
    return f"{backup_type}/{backup_id}/{time.replace('_', ':')}"


def captures(fixtures: Path, kind: str) -> list[Path]:
    found = sorted((fixtures / "store-out").glob(f"*.{kind}.txt"))
    assert found
    return found


def test_catalogs(site: OriginalSite, fixtures_323: Path) -> None:
    """The original writes the catalog to its log, we to standard output."""
    key = ("--keyfile", fixtures_323 / "keys" / "none.json")
    for path in captures(fixtures_323, "catalog"):
        outcome = site.run("catalog", "dump", snapshot_of(path), *key)
        if path.read_text().startswith("Error: "):
            assert (outcome.exit_code, outcome.stdout) == (255, "")
            assert outcome.stderr.splitlines()[-1].startswith("Error: ")
        else:
            assert outcome.stdout == path.read_text(), path.name


@pytest.mark.parametrize("kind", ["notes", "protected"])
def test_notes_and_protection(site: OriginalSite, fixtures_323: Path, kind: str) -> None:
    for path in captures(fixtures_323, kind):
        outcome = site.run("snapshot", kind, "show", snapshot_of(path))
        assert outcome.stdout == path.read_text(), path.name


def test_lists(site: OriginalSite, fixtures_323: Path) -> None:
    for words, name in ((("list",), "group-list"), (("snapshots",), "snapshot-list")):
        assert site.run(*words).stdout == (fixtures_323 / "store-out" / f"{name}.txt").read_text()
    captured = json.loads((fixtures_323 / "store-out" / "snapshot-list.ns1_sub.json").read_text())
    found = json.loads(site.run("snapshots", "--ns", "ns1/sub", "--output-format", "json").stdout)
    assert [item["backup-id"] for item in found] == [item["backup-id"] for item in captured]
