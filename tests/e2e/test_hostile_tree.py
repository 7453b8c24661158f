"""Trees that want to be trouble, through the real client and server and back: everything identical, or said why not."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest

from access_gate import Access, at_first, is_available
from backup_site import BackupSite, newest
from hostile_tree import APPEND, IMMUTABLE, NO_DUMP, clear_flags, fill_with_all_kinds, get_flags
from memory_directory import memory_directory
from tree_snapshot import Inode, tree_snapshot

pytestmark = [
    pytest.mark.slow,
    pytest.mark.root,
    pytest.mark.skipif(os.geteuid() != 0, reason="makes device nodes and stops other programs"),
]

# The last one needs a previous backup, which has all the content already.
MODES = ("legacy", "data", "metadata")
READING_MODES = MODES[:2]


@pytest.fixture
def source(tmp_path: Path) -> Iterator[Path]:
    """An empty directory to be filled; nothing in it or in `out` beside it stays."""
    source = tmp_path / "source"
    source.mkdir()
    yield source
    for tree in (source, tmp_path / "out"):
        clear_flags(tree)
    subprocess.run(["rm", "-rf", source, tmp_path / "out"], check=True)


def round_trip(site: BackupSite, source: Path, mode: str, *, without: str = "") -> tuple[list[str], Path]:
    """Back up in a change detection mode and restore; the warnings of the backup, and where the tree is now.

    Args:
        without: capabilities that the client does without, as setpriv(1) takes them.
    """
    out, backup_id = source.parent / "out", f"{source.parent.name}-{mode}"
    words = ["backup", f"tree.pxar:{source}", "--backup-id", backup_id]
    if mode == "metadata":
        site.succeed(*words, "--change-detection-mode", "data", "--backup-time", "1700000000")
    words += ["--change-detection-mode", mode]
    if without:
        command = ["setpriv", f"--bounding-set={without}", *site.client.command(*words)]
        environment = site.client.variables(site.environment)
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        log = done.stderr
    else:
        log = site.succeed(*words).stderr
    site.succeed("restore", newest(site.snapshots(f"host/{backup_id}")), "tree.pxar", out)
    return [line for line in log.splitlines() if line.startswith("failed") or "warning" in line], out


@pytest.mark.parametrize("mode", MODES)
def test_every_kind_of_inode_and_metadata_comes_back(site: BackupSite, source: Path, mode: str) -> None:
    fill_with_all_kinds(source)
    expected = tree_snapshot(source)
    warnings, out = round_trip(site, source, mode)
    assert warnings == []
    assert tree_snapshot(out) == expected
    flags = {path.name: get_flags(path) for path in (out / "flags").iterdir()}
    # Nodump is stored and not set again, as the original does it.
    assert flags == {"append": APPEND, "immutable": IMMUTABLE, "immutable-directory": IMMUTABLE, "no-dump": 0}
    assert get_flags(source / "flags" / "no-dump") == NO_DUMP
    for path in (out / "holes").iterdir():
        assert path.stat().st_blocks * 512 <= 64 << 10, path


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("mode", ["legacy", "metadata"])
def test_a_hundred_thousand_files_in_one_directory(site: BackupSite, mode: str) -> None:
    with memory_directory() as directory:
        source = directory / "source"
        (source / "wide").mkdir(parents=True)
        for number in range(100_000):
            (source / "wide" / f"{number:x}").write_bytes(number.to_bytes(4, "big") * (number % 7))
        expected = tree_snapshot(source)
        warnings, out = round_trip(site, source, mode)
        assert warnings == []
        assert tree_snapshot(out) == expected


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("mode", MODES)
def test_four_thousand_levels(site: BackupSite, source: Path, mode: str) -> None:
    depth = 4000
    inner = os.open(source, os.O_RDONLY)
    for level in range(depth):
        os.mkdir("d", 0o700 + level % 8, dir_fd=inner)
        inner = _into(inner, "d")
    os.close(os.open("bottom", os.O_WRONLY | os.O_CREAT, 0o640, dir_fd=inner))
    os.close(inner)
    warnings, out = round_trip(site, source, mode)
    assert warnings == []
    before, after = os.open(source, os.O_RDONLY), os.open(out, os.O_RDONLY)
    for _ in range(depth):
        before, after = _into(before, "d"), _into(after, "d")
        old, new = os.fstat(before), os.fstat(after)
        assert (new.st_mode, new.st_mtime_ns) == (old.st_mode, old.st_mtime_ns)
    assert os.listdir(after) == ["bottom"]  # noqa: PTH208 - its path is too long
    os.close(before)
    os.close(after)


def _into(directory: int, name: str) -> int:
    child = os.open(name, os.O_RDONLY, dir_fd=directory)
    os.close(directory)
    return child


@pytest.mark.skipif(not is_available(), reason="needs fanotify(7) to stop the client in the middle")
@pytest.mark.parametrize("mode", READING_MODES)
def test_what_changes_while_it_is_read_is_named_and_the_rest_comes_back(
    site: BackupSite, source: Path, mode: str
) -> None:
    for name in ("a-gate", "b-file", "b-turned", "f-stays"):
        (source / name).write_bytes(name.encode())
    for name in ("b-directory/inside", "c-emptied", "f-directory/stays"):
        (source / name).mkdir(parents=True)
    (source / "b-link").symlink_to("a-gate")
    os.mkfifo(source / "b-fifo")
    # More than one read, whatever a reader reads at a time.
    content = bytes(range(251)) * 80_000
    for name in ("d-grows", "e-shrinks"):
        (source / name).write_bytes(content)
    before = tree_snapshot(source)

    def change_what_was_listed() -> None:
        shutil.rmtree(source / "b-directory")
        for name in ("b-file", "b-turned", "b-link", "b-fifo"):
            (source / name).unlink()
        (source / "b-turned").mkdir(0o750)

    with ExitStack() as gates:
        for access, name, action in (
            (Access.OPEN, "a-gate", change_what_was_listed),
            (Access.OPEN, "c-emptied", (source / "c-emptied").rmdir),
            (Access.READ, "d-grows", lambda: os.truncate(source / "d-grows", 2 * len(content))),
            (Access.READ, "e-shrinks", lambda: os.truncate(source / "e-shrinks", 1000)),
        ):
            gates.enter_context(at_first(access, source / name, action))
        warnings, out = round_trip(site, source, mode)

    assert warnings == [
        *(f'warning: file vanished while reading: "b-{name}"' for name in ("directory", "fifo", "file", "link")),
        'warning: file vanished while reading directory: "c-emptied"',
        'warning: file size increased while reading: "d-grows", file will be truncated!',
        'warning: file size shrunk while reading: "e-shrinks", file will be padded with zeros!',
        "7 warnings, see above",
    ]
    padded = content[:1000] + bytes(len(content) - 1000)
    expected = _without(before, "b-directory", "b-fifo", "b-file", "b-link", "b-turned")
    expected[b"/e-shrinks"] = replace(expected[b"/e-shrinks"], digest=sha256(padded).hexdigest())
    expected[b"/b-turned"] = tree_snapshot(source)[b"/b-turned"]
    assert tree_snapshot(out) == expected


@pytest.mark.parametrize("mode", READING_MODES)
def test_what_cannot_be_read_is_named_and_the_rest_comes_back(site: BackupSite, source: Path, mode: str) -> None:
    for name in ("locked-directory", "only-listed"):
        (source / name).mkdir()
        (source / name / "inside").write_bytes(b"inside")
    for name in ("locked-file", "readable"):
        (source / name).write_bytes(name.encode())
    before = tree_snapshot(source)
    for name, mode_bits in (("locked-directory", 0), ("locked-file", 0), ("only-listed", 0o444)):
        (source / name).chmod(mode_bits)
    warnings, out = round_trip(site, source, mode, without="-dac_override,-dac_read_search")
    assert warnings == [
        'failed to open file: "locked-directory": access denied',
        'failed to open file: "locked-file": access denied',
        'warning: failed to stat file: "only-listed/inside": access denied',
        "3 warnings, see above",
    ]
    expected = _without(before, "locked-directory", "locked-file", "only-listed/inside")
    expected[b"/only-listed"] = replace(expected[b"/only-listed"], mode=0o444)
    assert tree_snapshot(out) == expected


def _without(tree: dict[bytes, Inode], *names: str) -> dict[bytes, Inode]:
    """A tree without some names and everything below them."""
    gone = tuple(b"/" + name.encode() for name in names)
    return {path: inode for path, inode in tree.items() if not any(_is_below(path, name) for name in gone)}


def _is_below(path: bytes, name: bytes) -> bool:
    return path == name or path.startswith(name + b"/")
