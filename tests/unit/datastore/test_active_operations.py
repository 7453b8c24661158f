"""Counting what runs on a store, over all processes (datastore-layout.md 3.3)."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from pbstore.config.maintenance_mode import Operation
from pbstore.config.process_start import process_start
from pbstore.datastore.active_operations import ActiveOperations, OperationCounts


@pytest.fixture
def operations(tmp_path: Path) -> ActiveOperations:
    return ActiveOperations(tmp_path / "operations")


def test_operations_are_counted_while_they_run(operations: ActiveOperations) -> None:
    assert operations.counts("main").is_idle
    with operations.running("main", Operation.READ), operations.running("main", Operation.WRITE):
        with operations.running("main", Operation.WRITE), operations.running("other", Operation.READ):
            assert operations.counts("main") == OperationCounts(1, 2)
            assert operations.is_used_here("main")
        assert operations.counts("main") == OperationCounts(1, 1)
    assert operations.counts("main").is_idle
    assert not operations.is_used_here("main")


def test_the_file_is_the_originals(operations: ActiveOperations, tmp_path: Path) -> None:
    with operations.running("main", Operation.WRITE):
        path = tmp_path / "operations/main"
        entry = {"pid": os.getpid(), "starttime": process_start(), "active_operations": {"read": 0, "write": 1}}
        assert json.loads(path.read_text()) == [entry]
        assert path.stat().st_mode & 0o777 == 0o660
        assert (tmp_path / "operations/main.lock").stat().st_mode & 0o777 == 0o660
    operations.forget("main")
    assert list((tmp_path / "operations").iterdir()) == []


def test_an_operation_that_fails_is_over(operations: ActiveOperations) -> None:
    with pytest.raises(ValueError, match="x"), operations.running("main", Operation.READ):
        raise ValueError("x")
    assert operations.counts("main").is_idle


COUNT = """
import pathlib, sys
from pbstore.config.maintenance_mode import Operation
from pbstore.datastore.active_operations import ActiveOperations
with ActiveOperations(pathlib.Path(sys.argv[1])).running("main", Operation.READ):
    print("running", flush=True)
    sys.stdin.read()
"""


@pytest.mark.parametrize("is_killed", [False, True])
def test_other_processes_count_as_long_as_they_live(
    operations: ActiveOperations, tmp_path: Path, is_killed: bool
) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", COUNT, str(tmp_path / "operations")], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout
        assert process.stdin
        assert process.stdout.readline() == b"running\n"
        with operations.running("main", Operation.WRITE):
            assert operations.counts("main") == OperationCounts(1, 1)
        assert operations.counts("main") == OperationCounts(1, 0)
        assert not operations.is_used_here("main")
        if is_killed:
            process.kill()
        process.stdin.close()
    assert operations.counts("main").is_idle


@pytest.mark.parametrize("content", ["", "rubbish", "{}", "[1]", '[{"pid": "x"}]', '[{"pid": 1, "starttime": -1}]'])
def test_a_file_that_makes_no_sense_is_empty(operations: ActiveOperations, tmp_path: Path, content: str) -> None:
    (tmp_path / "operations").mkdir()
    (tmp_path / "operations/main").write_text(content)
    assert operations.counts("main").is_idle
    with operations.running("main", Operation.READ):
        assert operations.counts("main") == OperationCounts(1, 0)
