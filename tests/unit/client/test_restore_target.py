"""Targets of a restore: nothing is overwritten unasked, nothing half-made stays (cli-client.md 4)."""

import os
from pathlib import Path

import pytest

from pbstore.client.restore_target import RestoreTarget
from pbstore.errors import PbstoreError


def test_a_new_file_is_written(tmp_path: Path) -> None:
    with RestoreTarget(path=tmp_path / "f").file() as descriptor:
        os.write(descriptor, b"data")
    assert (tmp_path / "f").read_bytes() == b"data"


def test_a_new_file_goes_when_the_restore_fails(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), RestoreTarget(path=tmp_path / "f").file() as descriptor:
        os.write(descriptor, b"half")
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []


def test_an_existing_file_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"old")
    message = rf"^unable to create target file '{tmp_path}/f' - File exists$"
    with pytest.raises(PbstoreError, match=message), RestoreTarget(path=tmp_path / "f").file():
        pass
    assert (tmp_path / "f").read_bytes() == b"old"


def test_dangling_links_are_not_followed(tmp_path: Path) -> None:
    (tmp_path / "f").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(PbstoreError, match="File exists"), RestoreTarget(path=tmp_path / "f").file():
        pass
    assert not (tmp_path / "elsewhere").exists()


def test_overwriting_truncates_and_keeps_the_file_on_failure(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"old content")
    target = RestoreTarget(path=tmp_path / "f", overwrite=True)
    with target.file() as descriptor:
        os.write(descriptor, b"new")
    assert (tmp_path / "f").read_bytes() == b"new"
    with pytest.raises(ZeroDivisionError), target.file():
        raise ZeroDivisionError
    assert (tmp_path / "f").exists()


def test_streams_stay_open() -> None:
    reader, writer = os.pipe()
    with RestoreTarget(descriptor=writer).file() as descriptor:
        os.write(descriptor, b"data")
    os.close(writer)
    assert os.read(reader, 10) == b"data"
    os.close(reader)


@pytest.mark.parametrize("existing", ["", "a", "a/b/c"])
def test_directories_made_for_a_failed_restore_go(tmp_path: Path, existing: str) -> None:
    """Of the path a/b/c as much exists as `existing` says."""
    (tmp_path / existing).mkdir(parents=True, exist_ok=True)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(ZeroDivisionError), RestoreTarget(path=tmp_path / "a/b/c").directory() as directory:
        (directory / "sub").mkdir()
        (directory / "sub" / "file").touch()
        (directory / "link").symlink_to("/")
        raise ZeroDivisionError
    assert sorted(tmp_path.rglob("*")) == before


def test_what_was_in_a_directory_stays(tmp_path: Path) -> None:
    (tmp_path / "old").touch()
    with pytest.raises(ZeroDivisionError), RestoreTarget(path=tmp_path).directory() as directory:
        (directory / "new").touch()
        raise ZeroDivisionError
    assert (tmp_path / "old").exists()


def test_a_file_is_no_directory(tmp_path: Path) -> None:
    (tmp_path / "f").touch()
    message = "unable to create target directory"
    with pytest.raises(PbstoreError, match=message), RestoreTarget(path=tmp_path / "f").directory():
        pass
