"""`proxmox-backup-debug diff archive` on the original's datastore, served by our server."""

import json
import lzma
import re
import shutil
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from backup_site import BackupSite
from captured_runs import captured_runs
from command_runner import Outcome, Runner
from pbstore import _core
from pbstore.cli.printable import printable
from pbstore.cli.proxmox_backup_client.main import PROGRAM as CLIENT
from pbstore.cli.proxmox_backup_debug.main import PROGRAM as DEBUG
from pbstore.config.roots import Roots
from pbstore.format.key_file import KeyFile

pytestmark = pytest.mark.slow

Node = dict[str, Any]
DAY = "2026-06-0{}T08:00:00Z"
LINE = re.compile(r"[AMD] .{2} .{6,} .{6,} .{6,} .{10,}  ?\*?\d{4}-\d\d-\d\d \d\d:\d\d:\d\d [ *](?P<name>.*)")


@pytest.fixture(scope="module")
def site(
    datastore_423: Path, tmp_path_factory: pytest.TempPathFactory, server_certificate: Roots
) -> Iterator[BackupSite]:
    """The store, copied, behind a server of ours."""
    work = tmp_path_factory.mktemp("diff")
    store = work / "store"
    shutil.copytree(datastore_423, store, symlinks=True)
    made = BackupSite(work, store, server_certificate, Runner(CLIENT))
    yield made
    made.server.stop(signal.SIGKILL)


@pytest.fixture(autouse=True)
def _utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


class Diff:
    """Runs `diff archive` against the server."""

    def __init__(self, site: BackupSite, debug: Runner):
        self.site = site
        self.debug = debug

    def run(self, *words: str | Path, **environment: str) -> Outcome:
        return self.debug("diff", "archive", *words, environment=self.site.environment | environment)

    def lines(self, *words: str | Path) -> list[str]:
        outcome = self.run(*words)
        assert (outcome.exit_code, outcome.stderr) == (0, ""), outcome.stderr
        return outcome.stdout.splitlines()

    def error(self, *words: str | Path, **environment: str) -> str:
        outcome = self.run(*words, **environment)
        assert (outcome.exit_code, outcome.stdout) == (255, ""), outcome
        (line,) = (line for line in outcome.stderr.splitlines() if line.startswith("Error: "))
        return line


@pytest.fixture
def diff(site: BackupSite, pytestconfig: pytest.Config) -> Diff:
    return Diff(site, Runner(DEBUG, installed=pytestconfig.getoption("--installed")))


def test_the_original_s_lines(diff: Diff, fixtures_423: Path) -> None:
    compared = 0
    for run in captured_runs(fixtures_423 / "cli" / "diff-archive.txt"):
        if run.exit_code == 0:
            outcome = diff.run(*run.words[2:])
            assert (outcome.exit_code, outcome.stdout, outcome.stderr) == (0, run.stdout, run.stderr)
            compared += 1
    assert compared == 2


@pytest.mark.parametrize("compare_content", [False, True], ids=["metadata", "content"])
@pytest.mark.parametrize(
    ("group", "name", "old", "new"),
    [
        ("split", "tree", 1, 2),
        ("split", "tree", 2, 3),
        ("split", "tree", 1, 3),
        ("split", "tree", 3, 1),
        ("split", "etc", 2, 3),
        ("encsplit", "enc", 1, 2),
        ("encsplit", "enc", 2, 3),
    ],
)
def test_split_archives_differ_as_the_trees_do(
    diff: Diff, fixtures_423: Path, group: str, name: str, old: int, new: int, compare_content: bool
) -> None:
    keys = ("--keyfile", fixtures_423 / "keys" / "enc.json") if group == "encsplit" else ()
    flag = ("--compare-content",) if compare_content else ()
    snapshots = (f"host/{group}/{DAY.format(number)}" for number in (old, new))
    outcome = diff.run(*snapshots, f"{name}.pxar", *keys, *flag)
    assert outcome.exit_code == 0, outcome.stderr
    trees = [restored(fixtures_423, f"g{number}-{group}-{name}") for number in (old, new)]
    expected = differences(trees[0], trees[1], compare_content=compare_content)
    assert expected
    assert [(line[0], LINE.fullmatch(line)["name"]) for line in outcome.stdout.splitlines()] == expected  # type: ignore[index]


def restored(fixtures: Path, name: str) -> dict[bytes, Node]:
    """What the original's client restored, by path; a hard link knows the first name of its file."""
    raw = json.loads(lzma.decompress((fixtures / "trees" / f"restored-{name}.json.xz").read_bytes()))
    nodes = sorted(raw, key=lambda node: bytes.fromhex(node["path_hex"]).split(b"/"))
    first: dict[int, str] = {}
    for node in nodes:
        if node.get("nlink", 1) > 1 and node["type"] == "file":
            node["first"] = first.setdefault(node["inode"], node["path"])
    return {bytes.fromhex(node["path_hex"]): node for node in nodes if node["path"] != "/"}


def differences(old: dict[bytes, Node], new: dict[bytes, Node], *, compare_content: bool) -> list[tuple[str, str]]:
    ignored = {"inode", "nlink", "blocks512", "first"} | (set() if compare_content else {"sha256"})
    found = []
    for path in sorted({*old, *new}, key=lambda path: path.split(b"/")):
        before, after = old.get(path), new.get(path)
        name = printable(path.rpartition(b"/")[2].decode(errors="surrogateescape"))
        if before is None or after is None:
            found.append(("A" if before is None else "D", name))
        elif facts(before, ignored) != facts(after, ignored):
            found.append(("M", name))
    return found


def facts(node: Node, ignored: set[str]) -> dict[str, Any]:
    """What an archive keeps of an inode; of a hard link also of what."""
    first = node.get("first", node["path"])
    link = None if first == node["path"] else first
    return {**{key: value for key, value in node.items() if key not in ignored}, "link": link}


def test_the_same_tree_in_archives_of_different_kinds_is_the_same(diff: Diff) -> None:
    split, whole = "host/modeswitch/2026-06-01T10:00:00Z", "host/modeswitch/2026-06-01T12:00:00Z"
    for pair in ((split, whole), (whole, split), (whole, whole), (split, split)):
        assert diff.lines(*pair, "etc.pxar", "--compare-content") == []
    for name in ("etc.mpxar", "etc.pxar.didx", "etc.mpxar.didx"):
        assert diff.lines(split, whole, name) == []


def test_contents_in_the_same_chunks_are_not_fetched(diff: Diff, site: BackupSite) -> None:
    snapshot = f"host/split/{DAY.format(2)}"
    index = site.store / snapshot / "tree.ppxar.didx"
    moved = []
    try:
        # Nobody needs a chunk to see that it is the same; only where a payload stream begins is looked at always.
        for path in chunks_of(index) - {first_chunk_of(index)}:
            path.rename(path.with_name("away"))
            moved.append(path)
        assert len(moved) > 10
        assert diff.lines(snapshot, snapshot, "tree.pxar", "--compare-content") == []
    finally:
        for path in moved:
            path.with_name("away").rename(path)


def chunks_of(index: Path) -> set[Path]:
    return {chunk_path(index, digest) for digest in _core.distinct_chunks(_core.DynamicIndex.parse(index.read_bytes()))}


def first_chunk_of(index: Path) -> Path:
    return chunk_path(index, _core.DynamicIndex.parse(index.read_bytes()).digest(0))


def chunk_path(index: Path, digest: bytes) -> Path:
    return index.parents[3] / ".chunks" / digest.hex()[:4] / digest.hex()


def test_a_namespace_is_one_of_the_options(diff: Diff) -> None:
    snapshot = f"host/nsd/{DAY.format(1)}"
    assert diff.lines(snapshot, snapshot, "etc.pxar", "--ns", "ns1/sub") == []
    assert diff.run(snapshot, snapshot, "etc.pxar", PBS_NAMESPACE="ns1/sub").exit_code == 0
    assert diff.error(snapshot, snapshot, "etc.pxar").startswith("Error: ")


def test_what_cannot_be_compared_is_said_in_one_line(diff: Diff, fixtures_423: Path, tmp_path: Path) -> None:
    one, two = (f"host/split/{DAY.format(number)}" for number in (1, 2))
    assert diff.error(one, two, "disk.img") == "Error: Only .pxar files are supported, not 'disk.img'"
    assert diff.error(one, two, "vm.conf") == "Error: Only .pxar files are supported, not 'vm.conf'"
    missing = diff.error(one, two, "home.pxar")
    assert missing == f"Error: snapshot '{one}' contains neither 'home.pxar.didx' nor 'home.mpxar.didx'"
    assert "host/split/2020-01-01T00:00:00Z" in diff.error("host/split/2020-01-01T00:00:00Z", two, "tree.pxar")
    locked = [f"host/encsplit/{DAY.format(number)}" for number in (1, 2)]
    assert diff.error(*locked, "enc.pxar").startswith("Error: missing key - manifest was created with key 48:29:05:48")
    other = tmp_path / "other.json"
    KeyFile.create(bytes(32)).store(other)
    assert diff.error(*locked, "enc.pxar", "--keyfile", other).startswith("Error: wrong key - ")
    words = (one, two, "tree.pxar", "--repository", "archiver@pbs@127.0.0.1:1:main")
    assert diff.run(*words).exit_code == 255
    outcome = diff.run("host/split", two, "tree.pxar")
    assert outcome.stderr.startswith("Error: parameter verification failed - 'prev-snapshot': ")


def test_a_damaged_chunk_is_named(diff: Diff, site: BackupSite) -> None:
    snapshot = f"host/split/{DAY.format(2)}"
    (chunk,) = chunks_of(site.store / snapshot / "etc.mpxar.didx")
    intact = chunk.read_bytes()
    chunk.write_bytes(intact[:-1] + bytes([intact[-1] ^ 1]))
    try:
        error = diff.error(f"host/split/{DAY.format(1)}", snapshot, "etc.pxar")
    finally:
        chunk.write_bytes(intact)
    assert chunk.name in error
    assert snapshot in error


def test_completion_proposes_snapshots_and_trees(diff: Diff, site: BackupSite) -> None:
    def proposed(line: str) -> list[str]:
        place = {"COMP_LINE": line, "COMP_POINT": str(len(line))}
        return diff.debug("bashcomplete", environment=site.environment | place).stdout.splitlines()

    start = "proxmox-backup-debug diff archive "
    first = f"host/split/{DAY.format(1)}"
    assert proposed(f"{start}host/split/2026-06-01") == [first]
    assert proposed(f"{start}{first} host/encsplit/2026-06-03") == [f"host/encsplit/{DAY.format(3)}"]
    assert proposed(f"{start}{first} host/split/{DAY.format(2)} tr") == ["tree.mpxar", "tree.ppxar"]
