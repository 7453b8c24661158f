"""Replacing and creating files so that nobody sees a part."""

import multiprocessing
import os
from functools import partial
from pathlib import Path

import pytest

from pbstore.config.atomic_file import create_file, remove_temporary_files, replace_file
from pbstore.config.make_directory import make_directory


def test_replace_sets_content_and_mode(tmp_path: Path) -> None:
    path = tmp_path / "x"
    replace_file(path, b"old", mode=0o600)
    replace_file(path, b"new", mode=0o640)
    assert path.read_bytes() == b"new"
    assert path.stat().st_mode & 0o777 == 0o640
    assert [entry.name for entry in tmp_path.iterdir()] == ["x"]


def test_a_failed_replace_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "directory"
    path.mkdir()
    with pytest.raises(OSError, match="directory"):
        replace_file(path, b"new", mode=0o600)
    assert [entry.name for entry in tmp_path.iterdir()] == ["directory"]


@pytest.mark.root
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away: run as root")
def test_owner(tmp_path: Path) -> None:
    replace_file(tmp_path / "x", b"", mode=0o600, owner=(34, 34))
    status = (tmp_path / "x").stat()
    assert (status.st_uid, status.st_gid) == (34, 34)


def test_create_leaves_an_existing_file_alone(tmp_path: Path) -> None:
    path = tmp_path / "x"
    assert create_file(path, b"first", mode=0o600)
    assert not create_file(path, b"second", mode=0o600)
    assert path.read_bytes() == b"first"
    assert [entry.name for entry in tmp_path.iterdir()] == ["x"]


def test_of_several_processes_one_creates(tmp_path: Path) -> None:
    path = tmp_path / "x"
    with multiprocessing.get_context("spawn").Pool(4) as pool:
        made = pool.map(partial(create_file, path, mode=0o600), [bytes([number]) * 1000 for number in range(16)])
    assert made.count(True) == 1
    assert path.read_bytes() == bytes([made.index(True)]) * 1000


def test_make_directory_sets_the_mode_of_the_last_one_only(tmp_path: Path) -> None:
    make_directory(tmp_path / "a" / "b", mode=0o700)
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o755
    assert (tmp_path / "a" / "b").stat().st_mode & 0o777 == 0o700
    make_directory(tmp_path / "a" / "b", mode=0o755)
    assert (tmp_path / "a" / "b").stat().st_mode & 0o777 == 0o700


def test_make_directory_refuses_a_file(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"")
    with pytest.raises(FileExistsError):
        make_directory(tmp_path / "x")


def test_make_directory_leaves_nothing_when_it_fails(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="File name too long"):
        make_directory(tmp_path / "a" / "b" / ("x" * 300))
    assert list(tmp_path.iterdir()) == []


def test_what_killed_writers_left_can_be_removed(tmp_path: Path) -> None:
    for name in ("x", "x.tmp_abcd1234", "xy.tmp_abcd1234", "x.tmp"):
        (tmp_path / name).touch()
    remove_temporary_files(tmp_path / "x")
    assert {path.name for path in tmp_path.iterdir()} == {"x", "xy.tmp_abcd1234", "x.tmp"}


def test_errors_name_the_file_that_is_meant(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError) as caught:
        replace_file(tmp_path / "none" / "x", b"", mode=0o600)
    assert caught.value.filename == str(tmp_path / "none" / "x")
