"""Making a store (version-4.md 5.3)."""

import shutil
from pathlib import Path

import pytest

from pbstore.datastore.creation import check_path, create_datastore
from pbstore.errors import DatastoreError


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_layout_and_modes(tmp_path: Path) -> None:
    path = tmp_path / "a" / "store1"
    create_datastore(path, [])
    assert path.stat().st_mode & 0o777 == 0o755
    assert sorted(entry.name for entry in path.iterdir()) == [".chunks", ".lock"]
    chunks = path / ".chunks"
    assert chunks.stat().st_mode & 0o777 == 0o750
    names = sorted(entry.name for entry in chunks.iterdir())
    assert (len(names), names[0], names[-1]) == (65536, "0000", "ffff")
    assert (chunks / "abcd").stat().st_mode & 0o777 == 0o750
    assert (path / ".lock").stat().st_mode & 0o777 == 0o644
    with pytest.raises(DatastoreError, match="holds a datastore already"):
        create_datastore(path, [])
    assert (chunks / "0000").is_dir()
    # Sixty thousand directories would make pytest's own clean-up the slowest test of all.
    shutil.rmtree(path)


def test_dot_files_and_lost_and_found_are_harmless(tmp_path: Path) -> None:
    (tmp_path / ".config").touch()
    (tmp_path / "lost+found").mkdir()
    check_path(tmp_path, [])


def test_other_content_is_not(tmp_path: Path) -> None:
    (tmp_path / "data").touch()
    with pytest.raises(DatastoreError, match="not empty"):
        create_datastore(tmp_path, [])
    with pytest.raises(DatastoreError, match="no directory"):
        create_datastore(tmp_path / "data", [])
    assert [entry.name for entry in tmp_path.iterdir()] == ["data"]


@pytest.mark.parametrize("path", ["relative", "/", "/tmp/../..", ""])  # noqa: S108 - refused
def test_paths_that_cannot_be(path: str) -> None:
    with pytest.raises(DatastoreError):
        check_path(Path(path), [])


def test_stores_do_not_lie_within_each_other(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "store1")
    for path, other in (("store1/x", "store1"), ("store1", "store1/x"), ("store1", "store1"), ("link/x", "store1")):
        with pytest.raises(DatastoreError, match="within each other"):
            check_path(tmp_path / path, [tmp_path / other])
    check_path(tmp_path / "store12", [tmp_path / "store1"])
