"""What the archiver leaves out or warns of, what extraction refuses, and what damage does."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from pbstore import _core
from pbstore.errors import FormatError, PbstoreError
from tree_snapshot import tree_snapshot

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs mounts or other users: run as root")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "source"
    path.mkdir()
    return path


def archived(source: Path, **options: object) -> tuple[list[bytes], _core.PxarStats]:
    """Paths in the archive of a tree, without the root, and what the archiver said."""
    archive = source.parent / "a.pxar"
    archive.unlink(missing_ok=True)
    stats = _core.create_pxar(source, archive, **options)  # type: ignore[arg-type]
    return [entry.path for entry in _core.list_pxar(archive)][1:], stats


def fill(directory: Path, *names: str) -> None:
    for name in names:
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)


def test_patterns_of_the_caller_are_recorded(source: Path) -> None:
    fill(source, "a.tmp", "keep.tmp", "cache/x", "lost+found/y", "z", ".pxarexclude-cli")
    paths, _ = archived(source, exclude=[b"*.tmp", b"!keep.tmp", b"cache/"], skip_lost_and_found=True)
    assert paths == [b"/keep.tmp", b"/z", b"/.pxarexclude-cli"]
    _core.extract_pxar(source.parent / "a.pxar", source.parent / "target")
    recorded = source.parent / "target" / ".pxarexclude-cli"
    assert recorded.read_bytes() == b"*.tmp\n!keep.tmp\ncache/\nlost+found\n"
    assert (recorded.stat().st_mode, recorded.stat().st_mtime) == (0o100600, 0)


def test_split_archives_record_patterns_in_their_prelude(source: Path) -> None:
    fill(source, "a.tmp", ".pxarexclude-cli", "lost+found/y")
    patterns = [b"*.tmp", b'quo"te\\\\', b"tab\t", b"\x01\x7f", "ünï".encode(), b"\xff"]
    archive = source.parent / "a.mpxar"
    payload = source.parent / "a.ppxar"
    _core.create_pxar(source, archive, payload_path=payload, exclude=patterns, skip_lost_and_found=True)
    entries = _core.list_pxar(archive)
    # Nothing is generated, so a real file of that name is in nobody's way.
    assert [entry.path for entry in entries] == [b"/", b"/.pxarexclude-cli"]
    text = r'{"exclude-patterns":"*.tmp\nquo\"te\\\\\ntab\t\n\u0001' + "\x7f" + r"\nünï\n�\nlost+found\n" + '"}'
    assert (entries.prelude or b"").decode() == text


def test_failed_archives_do_not_stay(source: Path) -> None:
    fill(source, "a")
    archive, payload, catalog = (source.parent / name for name in ("a.mpxar", "a.ppxar", "a.catalog"))
    with pytest.raises(PbstoreError, match="more than 0"):
        _core.create_pxar(source, archive, payload_path=payload, entries_max=0)
    with pytest.raises(PbstoreError, match="more than 0"):
        _core.create_pxar(source, archive, catalog_path=catalog, entries_max=0)
    with pytest.raises(PbstoreError, match="no catalog"):
        _core.create_pxar(source, archive, payload_path=payload, catalog_path=catalog)
    assert list(source.parent.iterdir()) == [source]
    payload.write_text("of somebody else")
    with pytest.raises(PbstoreError, match=r'failed to create ".*a.ppxar": File exists'):
        _core.create_pxar(source, archive, payload_path=payload)
    assert (payload.read_text(), archive.exists()) == ("of somebody else", False)
    payload.unlink()
    _core.create_pxar(source, archive, payload_path=payload)
    assert not any(path.stat().st_mode & 0o137 for path in (archive, payload))


def test_pattern_files_hold_below_their_directory(source: Path) -> None:
    fill(source, "sub/anchored", "sub/deep/anchored", "sub/deep/free", "anchored", "free")
    (source / "sub" / ".pxarexclude").write_text("# comment\n\n  /anchored\nfree\n[bad\n")
    paths, stats = archived(source)
    assert paths == [b"/anchored", b"/free", b"/sub", b"/sub/.pxarexclude", b"/sub/deep", b"/sub/deep/anchored"]
    assert len(stats.warnings) == 1
    assert "[bad" in stats.warnings[0]


def test_changed_pattern_is_a_warning(source: Path) -> None:
    assert archived(source, exclude=[b"./a/../b"])[1].warnings == ['warning: exclude pattern "./a/../b" is used as "b"']
    with pytest.raises(PbstoreError, match="error in exclude pattern"):
        archived(source, exclude=[b"["])


def test_too_many_entries_are_refused(source: Path) -> None:
    fill(source, *(f"f{number}" for number in range(10)))
    archived(source, entries_max=10)
    with pytest.raises(PbstoreError, match="more than 9 directory entries"):
        archived(source, entries_max=9)


def test_kinds_and_metadata_can_be_left_out(source: Path) -> None:
    os.mkfifo(source / "fifo")
    fill(source, "file")
    os.setxattr(source / "file", "user.a", b"b")
    paths, _ = archived(source, without=["fifos", "xattrs"])
    assert paths == [b"/file"]
    assert list(_core.list_pxar(source.parent / "a.pxar"))[1].xattrs == []
    with pytest.raises(PbstoreError, match="'nothing' cannot be left out"):
        archived(source, without=["nothing"])


def test_virtual_file_system_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PbstoreError, match="virtual file system"):
        _core.create_pxar("/proc", tmp_path / "a.pxar")


def test_missing_source_is_named(tmp_path: Path) -> None:
    with pytest.raises(PbstoreError, match=r'failed to open the directory ".*/nowhere"'):
        _core.create_pxar(tmp_path / "nowhere", tmp_path / "a.pxar")


@pytest.mark.root
@needs_root
def test_mount_points_are_stored_empty(source: Path) -> None:
    (source / "mounted").mkdir()
    fill(source, "beside")
    subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=751", "none", source / "mounted"], check=True)
    try:
        fill(source, "mounted/inside")
        device = (source / "mounted").stat().st_dev
        assert archived(source)[0] == [b"/beside", b"/mounted"]
        assert archived(source, all_file_systems=True)[0] == [b"/beside", b"/mounted", b"/mounted/inside"]
        assert archived(source, include_devices=[device])[0] == [b"/beside", b"/mounted", b"/mounted/inside"]
        assert list(_core.list_pxar(source.parent / "a.pxar"))[2].mode == 0o040751
    finally:
        subprocess.run(["umount", source / "mounted"], check=True)


@pytest.mark.root
@needs_root
def test_unreadable_files_are_warnings(tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    for parent in tmp_path.parents:
        if parent.name.startswith(("pytest-", "popen-")):
            parent.chmod(0o755)
    source = tmp_path / "source"
    fill(source, "listed/x", "locked", "open", "secret/x")
    (source / "listed").chmod(0o744)
    (source / "locked").chmod(0)
    (source / "secret").chmod(0o700)
    code = (
        "import os, sys\n"
        "from pbstore import _core\n"
        "os.setgroups([]); os.setgid(65534); os.setuid(65534)\n"
        "print('\\n'.join(_core.create_pxar(sys.argv[1], sys.argv[2]).warnings))\n"
        "_core.extract_pxar(sys.argv[2], sys.argv[3])\n"
        "print('\\n'.join(_core.extract_pxar(sys.argv[2], sys.argv[4]).warnings))\n"
    )
    arguments = [source, tmp_path / "a.pxar", tmp_path / "one", tmp_path / "two"]
    result = subprocess.run(
        [sys.executable, "-c", code, *arguments], check=False, capture_output=True, text=True, cwd=tmp_path
    )
    assert result.stderr == ""
    assert result.stdout.splitlines() == [
        'warning: failed to stat file: "listed/x": access denied',
        'failed to open file: "locked": access denied',
        'failed to open file: "secret": access denied',
        "warning: the owner could not be restored for 3 entries: not permitted",
    ]
    assert (tmp_path / "two" / "open").read_text() == "open"


@pytest.fixture
def growing_file(source: Path) -> Iterator[Path]:
    """A file that another thread changes all the time."""
    path = source / "busy"
    path.write_bytes(b"x" * 4_000_000)
    done = threading.Event()

    def change() -> None:
        while not done.is_set():
            os.truncate(path, 100)
            os.truncate(path, 40_000_000)

    thread = threading.Thread(target=change)
    thread.start()
    yield path
    done.set()
    thread.join()


def test_changing_files_do_not_break_the_archive(source: Path, growing_file: Path) -> None:
    texts: set[str] = set()
    for attempt in range(2000):
        if texts and attempt >= 20:
            break
        _, stats = archived(source)
        texts |= {warning.replace(growing_file.name, "F") for warning in stats.warnings}
        _core.extract_pxar(source.parent / "a.pxar", source.parent / "target", overwrite_files=True)
    assert texts <= {
        'warning: file size shrunk while reading: "F", file will be padded with zeros!',
        'warning: file size increased while reading: "F", file will be truncated!',
    }
    assert texts


def test_deep_trees_need_neither_stack_nor_descriptors(source: Path, tmp_path: Path) -> None:
    depth = 3000
    fd = os.open(source, os.O_RDONLY)
    for level in range(depth):
        os.mkdir("directory", dir_fd=fd)
        child = os.open("directory", os.O_RDONLY, dir_fd=fd)
        os.close(fd)
        fd = child
        assert level < depth
    os.close(fd)
    paths, _ = archived(source)
    assert len(paths) == depth
    _core.extract_pxar(tmp_path / "a.pxar", tmp_path / "target")
    # Python's own removal of trees recurses.
    subprocess.run(["rm", "-rf", source, tmp_path / "target"], check=True)


def test_truncated_archives_are_format_errors(source: Path, tmp_path: Path) -> None:
    fill(source, "a", "b/c")
    archived(source)
    archive = (tmp_path / "a.pxar").read_bytes()
    cut = tmp_path / "cut.pxar"
    for length in range(0, len(archive), 7):
        cut.write_bytes(archive[:length])
        with pytest.raises(FormatError, match="truncated"):
            list(_core.list_pxar(cut))
        with pytest.raises(FormatError, match="truncated"):
            _core.extract_pxar(cut, tmp_path / "target", overwrite_files=True, allow_existing_dirs=True)


def test_existing_files_stay_unless_they_may_be_replaced(source: Path, tmp_path: Path) -> None:
    fill(source, "a", "d/b")
    (source / "s").symlink_to("a")
    os.link(source / "a", source / "z")
    archived(source)
    archive, target = tmp_path / "a.pxar", tmp_path / "target"
    fill(target, "a", "s", "z")
    (target / "d").mkdir()
    (target / "a").write_text("old")
    with pytest.raises(PbstoreError, match=r'failed to create the file "a": File exists'):
        _core.extract_pxar(archive, target)
    assert (target / "a").read_text() == "old"
    with pytest.raises(PbstoreError, match="4 entries could not be extracted"):
        _core.extract_pxar(archive, target, strict=False)
    _core.extract_pxar(
        archive,
        target,
        allow_existing_dirs=True,
        overwrite_files=True,
        overwrite_symlinks=True,
        overwrite_hardlinks=True,
    )
    assert tree_snapshot(target) == tree_snapshot(source)


@pytest.mark.root
@needs_root
@pytest.mark.parametrize("without", [[], ["acls"]])
def test_inherited_acls_do_not_stay(source: Path, tmp_path: Path, without: list[str]) -> None:
    fill(source, "a", "d/b")
    archived(source)
    target = tmp_path / "target"
    target.mkdir()
    user_7_may_all = "0200000001000700ffffffff020007000700000004000500ffffffff10000700ffffffff20000500ffffffff"
    os.setxattr(target, "system.posix_acl_default", bytes.fromhex(user_7_may_all))
    _core.extract_pxar(tmp_path / "a.pxar", target, without=without)
    kept = "system.posix_acl_access" in os.listxattr(target / "d" / "b")
    assert kept == bool(without)
    if not without:
        assert tree_snapshot(target) == tree_snapshot(source)


@pytest.mark.root
@needs_root
def test_set_id_bits_need_the_owner(source: Path, tmp_path: Path) -> None:
    fill(source, "program")
    os.chown(source / "program", 1234, 1234)
    (source / "program").chmod(0o6755)
    archived(source)
    stats = _core.extract_pxar(tmp_path / "a.pxar", tmp_path / "target", without=["ownership"])
    assert (tmp_path / "target" / "program").stat().st_mode & 0o7777 == 0o755
    assert len(stats.warnings) == 1
    _core.extract_pxar(tmp_path / "a.pxar", tmp_path / "owned")
    assert (tmp_path / "owned" / "program").stat().st_mode & 0o7777 == 0o6755


@pytest.mark.root
@needs_root
def test_attribute_flags_and_projects_come_back(source: Path, tmp_path: Path) -> None:
    fill(source, "kept")
    changed = subprocess.run(["chattr", "+Aid", source / "kept"], check=False, capture_output=True)
    if changed.returncode != 0:
        pytest.skip("the file system has no attribute flags: run on ext4")
    try:
        archived(source)
        assert list(_core.list_pxar(tmp_path / "a.pxar"))[1].flags == 0x20000 | 0x100000 | 0x400000
        _core.extract_pxar(tmp_path / "a.pxar", tmp_path / "target")
        shown = subprocess.run(["lsattr", tmp_path / "target" / "kept"], check=True, capture_output=True, text=True)
        # nodump is stored, but not restored.
        assert set("Aid") & set(shown.stdout.split()[0]) == set("Ai")
    finally:
        for path in (source / "kept", tmp_path / "target" / "kept"):
            subprocess.run(["chattr", "-i", path], check=False, capture_output=True)
