"""Several hosts with one shared folder: they see the same, and no change is lost."""

import os
import subprocess
import sys
from pathlib import Path

from pbstore.config.roots import Roots
from pbstore.pve.host import Host
from pbstore.pve.storage.changes import StorageChanges
from pbstore.pve.storage.storage_cfg import StorageFile

WORK = "unit.pve.test_cluster_view"
ROUNDS = 6
NODES = ("pve1", "pve2", "pve3", "pve4")


def host(directory: Path, node: str) -> Host:
    """A host whose own files are its own, and whose cluster folder is everybody's."""
    return Host(Roots.below(directory / node, pve=directory / "shared"), node)


def work(directory: Path, node: str) -> None:
    """Add storages and remove every other one, and change one that all nodes change."""
    changes = StorageChanges(host(directory, node), lambda storage: None, print)
    for number in range(ROUNDS):
        changes.create(f"{node}-{number}", "dir", {"path": f"/srv/{node}/{number}"})
        changes.update("common", {"nodes": NODES[: number % 4 + 1]})
        if number % 2:
            changes.delete(f"{node}-{number}")


def test_nothing_is_lost_when_four_hosts_change_the_configuration_at_once(tmp_path: Path) -> None:
    first = host(tmp_path, "pve1")
    first.roots.pve_dir.mkdir(parents=True)
    first.storage_cfg.write_text("# kept\nnfs: share\n\tserver nas\n\n")
    StorageChanges(first, lambda storage: None, print).create("common", "dir", {"path": "/srv/common"})
    script = f"from pathlib import Path; from {WORK} import work; import sys; work(Path(sys.argv[1]), sys.argv[2])"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", script, str(tmp_path)]
    processes = [subprocess.Popen([*command, node], env=environment) for node in NODES]
    assert [process.wait(50) for process in processes] == [0] * len(NODES)
    expected = {f"{node}-{number}" for node in NODES for number in range(0, ROUNDS, 2)}
    for node in NODES:
        loaded = StorageFile(host(tmp_path, node)).load()
        assert set(loaded.storages) == expected | {"common", "share", "local"}
        assert loaded.warnings == ()
    assert first.storage_cfg.read_text().startswith("# kept\nnfs: share\n\tserver nas\n\n")
    assert list(first.locks_dir.iterdir()) == []
    assert [path.name for path in first.roots.pve_dir.iterdir() if ".tmp" in path.name] == []


def test_a_node_uses_what_is_for_it(tmp_path: Path) -> None:
    one, two = host(tmp_path, "pve1"), host(tmp_path, "pve2")
    StorageChanges(one, lambda storage: None, print).create("d1", "dir", {"path": "/srv", "nodes": ("pve2",)})
    storage = StorageFile(two).load().storages["d1"]
    assert (storage.is_enabled_on("pve1"), storage.is_enabled_on("pve2")) == (False, True)
    assert one.local_path != two.local_path
