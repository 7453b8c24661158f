"""Locks of a folder that several nodes share: exclusive, given up in time, and taken over from a node that is gone."""

import os
import threading

import pytest

from pbstore.errors import LockedError
from pbstore.pve import cluster_lock
from pbstore.pve.cluster_lock import file_lock
from unit.pve.storage_site import StorageSite


def test_it_is_a_directory_of_the_originals_name(site: StorageSite) -> None:
    path = site.host.roots.pve_dir / "priv/lock/file-storage_cfg"
    with file_lock(site.host, "storage.cfg"):
        assert path.is_dir()
    assert not path.exists()
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert path.parent.parent.stat().st_mode & 0o777 == 0o700


def test_somebody_else_has_it(site: StorageSite) -> None:
    with file_lock(site.host, "storage.cfg"):
        with (
            pytest.raises(LockedError, match="cfs-lock 'file-storage_cfg' error: got lock request timeout"),
            file_lock(site.host, "storage.cfg", wait_seconds=0),
        ):
            pass
        with file_lock(site.host, "user.cfg", wait_seconds=0):
            pass


def test_it_is_given_back_after_an_error(site: StorageSite) -> None:
    with pytest.raises(ValueError, match="x"), file_lock(site.host, "storage.cfg"):
        raise ValueError("x")
    with file_lock(site.host, "storage.cfg", wait_seconds=0):
        pass


def test_one_of_a_node_that_is_gone_is_taken_over(site: StorageSite) -> None:
    site.host.locks_dir.mkdir(parents=True)
    (site.host.locks_dir / "file-storage_cfg").mkdir()
    now = (site.host.locks_dir / "file-storage_cfg").stat().st_mtime
    with (
        pytest.raises(LockedError),
        file_lock(site.host, "storage.cfg", wait_seconds=0, clock=lambda: now + cluster_lock.STALE_SECONDS - 1),
    ):
        pass
    with file_lock(site.host, "storage.cfg", clock=lambda: now + cluster_lock.STALE_SECONDS + 1):
        assert os.listdir(site.host.locks_dir) == ["file-storage_cfg"]  # noqa: PTH208 - names are enough
    assert list(site.host.locks_dir.iterdir()) == []


def test_only_one_takes_over(site: StorageSite) -> None:
    """Of many who find the same dead lock at once never two are inside."""
    site.host.locks_dir.mkdir(parents=True)
    dead = site.host.locks_dir / "file-storage_cfg"
    dead.mkdir()
    os.utime(dead, (1, 1))
    inside: list[int] = []
    most: list[int] = []

    def work() -> None:
        with file_lock(site.host, "storage.cfg"):
            inside.append(1)
            most.append(len(inside))
            inside.pop()

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1] * 8


def test_who_holds_it_for_too_long_must_not_write(site: StorageSite) -> None:
    moment = [0.0]
    with file_lock(site.host, "storage.cfg", monotonic=lambda: moment[0]) as lock:
        lock.check()
        moment[0] = cluster_lock.HOLD_SECONDS + 1
        with pytest.raises(LockedError, match="got lock timeout - aborting command"):
            lock.check()


def test_a_lock_that_was_taken_away_is_noticed_and_the_new_one_left_alone(site: StorageSite) -> None:
    path = site.host.locks_dir / "file-storage_cfg"
    with file_lock(site.host, "storage.cfg") as lock:
        path.rename(path.with_name("aside"))
        path.mkdir()
        with pytest.raises(LockedError):
            lock.check()
    assert path.is_dir()
