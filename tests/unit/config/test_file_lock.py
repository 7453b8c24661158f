"""Lock files, between threads and between processes."""

import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from pbstore.config.file_lock import lock_file
from pbstore.errors import LockedError

HOLDER = """
import sys, pathlib
from pbstore.config.file_lock import lock_file
with lock_file(pathlib.Path(sys.argv[1]), shared=sys.argv[2] == "shared"):
    print("locked", flush=True)
    sys.stdin.read()
"""


def hold(path: Path, kind: str) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(path), kind], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout
    assert process.stdout.readline() == "locked\n"
    return process


def let_go(process: subprocess.Popen[str]) -> None:
    process.communicate("")
    assert process.returncode == 0


@pytest.mark.parametrize(
    ("kind", "shared", "free"), [("exclusive", True, False), ("shared", False, False), ("shared", True, True)]
)
def test_another_process(tmp_path: Path, kind: str, shared: bool, free: bool) -> None:
    path = tmp_path / "lock"
    holder = hold(path, kind)
    if free:
        lock_file(path, timeout_seconds=0, shared=shared).release()
    else:
        with pytest.raises(LockedError, match="held by another"):
            lock_file(path, timeout_seconds=0, shared=shared)
    let_go(holder)
    lock_file(path, timeout_seconds=0).release()


def test_a_killed_holder_holds_nothing(tmp_path: Path) -> None:
    holder = hold(tmp_path / "lock", "exclusive")
    holder.kill()
    holder.communicate()
    lock_file(tmp_path / "lock", timeout_seconds=0).release()


def test_waiting(tmp_path: Path) -> None:
    lock = lock_file(tmp_path / "lock")
    threading.Timer(0.1, lock.release).start()
    with lock_file(tmp_path / "lock", timeout_seconds=10):
        pass


def test_time_out(tmp_path: Path) -> None:
    with lock_file(tmp_path / "lock"):
        started = time.monotonic()
        with pytest.raises(LockedError):
            lock_file(tmp_path / "lock", timeout_seconds=0.1)
        assert time.monotonic() - started >= 0.1


def test_a_removed_lock_file_counts_as_busy(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    lock = lock_file(path)

    def remove_and_release() -> None:
        path.unlink()
        lock.release()

    threading.Timer(0.1, remove_and_release).start()
    with pytest.raises(LockedError, match="removed meanwhile"):
        lock_file(path, timeout_seconds=10)
    lock_file(path, timeout_seconds=0).release()


def test_mode_and_no_symbolic_links(tmp_path: Path) -> None:
    lock_file(tmp_path / "lock").release()
    assert (tmp_path / "lock").stat().st_mode & 0o777 == 0o660
    (tmp_path / "link").symlink_to(tmp_path / "lock")
    with pytest.raises(OSError, match="symbolic"):
        lock_file(tmp_path / "link")
