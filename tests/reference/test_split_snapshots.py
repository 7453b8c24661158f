"""Split archives of a datastore made by release 4.2.3, restored by our client, and built upon by new backups."""

import os
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import pytest

from backup_site import BackupSite
from command_runner import Runner
from memory_directory import memory_directory
from pbstore.cli.proxmox_backup_client.main import PROGRAM as CLIENT
from pbstore.config.roots import Roots
from recorded_tree import recorded_tree
from tree_snapshot import Inode, tree_snapshot
from unpack import unpack

pytestmark = [
    pytest.mark.slow,
    pytest.mark.root,
    pytest.mark.skipif(os.geteuid() != 0, reason="the trees have devices and owners: run as root"),
]


@pytest.fixture(scope="module")
def site(
    fixtures_423: Path, tmp_path_factory: pytest.TempPathFactory, server_certificate: Roots
) -> Iterator[BackupSite]:
    """The store behind a server of ours, with room for new chunks, and its groups given to our user."""
    with memory_directory() as directory:
        store = unpack(fixtures_423 / "datastore.tar.xz", directory)
        for number in range(0x10000):
            (store / ".chunks" / f"{number:04x}").mkdir(exist_ok=True)
        for owner in store.glob("host/*/owner"):
            owner.write_text("archiver@pbs\n")
        made = BackupSite(tmp_path_factory.mktemp("split"), store, server_certificate, Runner(CLIENT))
        yield made
        made.server.stop(signal.SIGKILL)


@pytest.fixture(scope="module")
def sources(fixtures_423: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The three generations of the source trees, as `g1/tree` and so on."""
    if shutil.which("tar") is None:
        pytest.skip("GNU tar unpacks the trees: install tar")
    path = tmp_path_factory.mktemp("sources")
    options = ["--xattrs", "--xattrs-include=*", "--acls", "--numeric-owner", "--same-owner", "-xpJf"]
    subprocess.run(
        ["tar", "-C", path, *options, fixtures_423 / "trees" / "sources-g1-g2-g3.tar.xz"],
        check=True,
        stderr=subprocess.DEVNULL,
    )
    return path


EXCLUDE = ("--exclude", "*.bak", "--exclude", "/cache", "--exclude", "!important.bak")
# Archives and options of the groups.
SOURCES: dict[str, tuple[list[str], tuple[str, ...]]] = {
    "split": (["tree", "etc"], EXCLUDE),
    "encsplit": (["enc"], ()),
    "signsplit": (["etc"], ("--crypt-mode", "sign-only")),
}


def key_of(group: str, fixtures: Path) -> tuple[str | Path, ...]:
    return () if group == "split" else ("--keyfile", fixtures / "keys" / "enc.json")


@pytest.mark.parametrize(
    ("group", "archive", "day"),
    [
        *product(["split"], ["tree", "etc"], [1, 2, 3]),
        *product(["encsplit"], ["enc"], [1, 2, 3]),
        *product(["signsplit"], ["etc"], [1, 2]),
    ],
)
def test_d11_every_snapshot_comes_back_as_the_original_restored_it(
    site: BackupSite, fixtures_423: Path, tmp_path: Path, group: str, archive: str, day: int
) -> None:
    expected = fixtures_423 / "trees" / f"restored-g{day}-{group}-{archive}.json.xz"
    prelude = tmp_path / "prelude"
    log = site.succeed(
        "restore",
        f"host/{group}/2026-06-0{day}T08:00:00Z",
        f"{archive}.pxar",
        tmp_path / "back",
        "--prelude-target",
        prelude,
        *key_of(group, fixtures_423),
    ).stderr
    assert tree_snapshot(tmp_path / "back") == recorded_tree(expected)
    recorded_prelude = expected.with_name(expected.name.replace(".json.xz", ".prelude"))
    if recorded_prelude.exists():
        assert prelude.read_bytes() == recorded_prelude.read_bytes()
    else:
        assert "No prelude entry found, skip prelude restore.\n" in log
        assert not prelude.exists()


def test_patterns_select_what_they_selected_in_the_original(
    site: BackupSite, fixtures_423: Path, tmp_path: Path
) -> None:
    patterns = ("--pattern", "/small/s-01*", "--pattern", "**/*.conf")
    site.succeed("restore", "host/split/2026-06-02T08:00:00Z", "tree.pxar", tmp_path / "back", *patterns)
    paths = {"." + os.fsdecode(path).rstrip("/") for path in tree_snapshot(tmp_path / "back")}
    assert paths == set((fixtures_423 / "cli" / "restore-log-partial.files").read_text().split())


def back_up(
    site: BackupSite, fixtures: Path, sources: Path, group: str, backup_id: str, generation: int, mode: str
) -> str:
    """Make the backup that the original made of a generation, in some group; the log."""
    archives, options = SOURCES[group]
    specifications = [f"{archive}.pxar:{sources}/g{generation}/{archive}" for archive in archives]
    # Later than all that the original made, and each later than the one before.
    when = str(1_780_500_000 + 3600 * generation)
    fixed = ("--backup-id", backup_id, "--backup-time", when, "--change-detection-mode", mode)
    return site.succeed("backup", *specifications, *fixed, *options, *key_of(group, fixtures)).stderr


def without_sockets(tree: dict[bytes, Inode]) -> dict[bytes, Inode]:
    """What the tar archive of the sources could keep."""
    return {path: inode for path, inode in tree.items() if inode.kind != "socket"}


@pytest.mark.parametrize(("group", "generation"), [("split", 3), ("encsplit", 3), ("signsplit", 2)])
def test_a_backup_on_top_of_the_originals_takes_all_of_it_over(
    site: BackupSite,
    sources: Path,
    fixtures_423: Path,
    tmp_path: Path,
    group: str,
    generation: int,
) -> None:
    archives, _ = SOURCES[group]
    log = back_up(site, fixtures_423, sources, group, group, generation, "metadata")
    for archive in archives:
        assert f"Using previous index as metadata reference for '{archive}.mpxar.didx'\n" in log
        assert re.search(rf"{archive}.ppxar: had to backup (32|16|0) B of ", log), "at most the two markers"
        site.succeed("restore", f"host/{group}", f"{archive}.pxar", tmp_path / archive, *key_of(group, fixtures_423))
        expected = recorded_tree(fixtures_423 / "trees" / f"restored-g{generation}-{group}-{archive}.json.xz")
        assert tree_snapshot(tmp_path / archive) == without_sockets(expected)
    assert log.count(" - 0 changed or non-reusable files with 0 B data\n") == len(archives)


@pytest.mark.parametrize("group", ["split", "encsplit"])
def test_generations_are_used_again_as_much_as_by_the_original(
    site: BackupSite, sources: Path, fixtures_423: Path, tmp_path: Path, group: str
) -> None:
    back_up(site, fixtures_423, sources, group, f"{group}-own", 1, "data")
    for generation in (2, 3):
        log = back_up(site, fixtures_423, sources, group, f"{group}-own", generation, "metadata")
        original = (fixtures_423 / "cli" / f"backup-{group}-g{generation}.txt").read_text()
        assert uploaded_share(log) <= uploaded_share(original)
        assert unchanged_count(log) >= unchanged_count(original)
        for archive in SOURCES[group][0]:
            target = tmp_path / f"{archive}-{generation}"
            keys = key_of(group, fixtures_423)
            site.succeed("restore", f"host/{group}-own", f"{archive}.pxar", target, *keys)
            expected = recorded_tree(fixtures_423 / "trees" / f"restored-g{generation}-{group}-{archive}.json.xz")
            assert tree_snapshot(target) == without_sockets(expected)


UNITS = {"B": 1, "KiB": 1 << 10, "MiB": 1 << 20}


def uploaded_share(log: str) -> float:
    """How much of the largest payload stream had to be sent."""
    found = re.findall(r"\.ppxar: had to backup (\S+) (\S+) of (\S+) (\S+) ", log)
    sizes = [(float(sent) * UNITS[sent_unit], float(all_) * UNITS[unit]) for sent, sent_unit, all_, unit in found]
    sent, size = max(sizes, key=lambda pair: pair[1])
    return sent / size


def unchanged_count(log: str) -> int:
    """Files that were not read, in all archives."""
    return sum(int(count) for count in re.findall(r"^ - (\d+) unchanged", log, re.MULTILINE))
