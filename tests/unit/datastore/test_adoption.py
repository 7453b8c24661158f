"""Taking over a directory that is a datastore already (version-4.md 5.3)."""

import os
import shutil
from pathlib import Path

import pytest

from pbstore.config.file_kind import service_owner
from pbstore.datastore import adoption
from pbstore.datastore.adoption import check_adoptable
from pbstore.errors import DatastoreError

PARTS = (".", ".lock", ".chunks", ".chunks/0000", ".chunks/0003")


def give_to_service(path: Path) -> None:
    """Root's servers run as the service user."""
    owner = service_owner()
    if owner is not None:
        os.chown(path, *owner)


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A store of four chunk directories instead of 65536."""
    monkeypatch.setattr(adoption, "PREFIX_COUNT", 4)
    root = tmp_path / "store"
    for name in ("0000", "0001", "0002", "0003"):
        (root / ".chunks" / name).mkdir(parents=True)
    (root / ".lock").touch()
    for name in (*PARTS, ".chunks/0001", ".chunks/0002"):
        (root / name).chmod(0o644 if name == ".lock" else 0o755 if name == "." else 0o750)
        give_to_service(root / name)
    return root


def test_a_store_as_it_should_be(store: Path) -> None:
    before = [(path, path.stat()) for path in sorted(store.rglob("*"))]
    check_adoptable(store)
    assert [(path, path.stat()) for path in sorted(store.rglob("*"))] == before


@pytest.mark.parametrize("part", PARTS)
def test_missing_parts(store: Path, part: str) -> None:
    path = store / part
    if part == ".lock":
        path.unlink()
    else:
        shutil.rmtree(path)
    with pytest.raises(DatastoreError, match=r"^cannot reuse datastore: .*No such file or directory"):
        check_adoptable(store)


@pytest.mark.parametrize("part", PARTS)
def test_wrong_modes_are_named_with_the_right_ones(store: Path, part: str) -> None:
    (store / part).chmod(0o700)
    with pytest.raises(DatastoreError, match=r"has mode 0700, it needs 0(755|750|644) \(chmod\)"):
        check_adoptable(store)


def test_links_are_no_parts(store: Path, tmp_path: Path) -> None:
    (store / ".chunks/0002").rename(tmp_path / "elsewhere")
    (store / ".chunks/0002").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(DatastoreError, match="is no directory"):
        check_adoptable(store)
    (store / ".lock").unlink()
    (store / ".lock").mkdir()
    with pytest.raises(DatastoreError, match="is no file"):
        check_adoptable(store)


@pytest.mark.root
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away: run as root")
def test_wrong_owners_are_named(store: Path) -> None:
    os.chown(store / ".chunks/0003", 4711, 4711)
    with pytest.raises(DatastoreError, match="belongs to user id 4711"):
        check_adoptable(store)
