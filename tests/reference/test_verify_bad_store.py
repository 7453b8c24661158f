"""Verification of the store that was damaged on purpose, beside what the original 4.2.3 found, logged and left."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from pbstore.config.maintenance_mode import Operation
from pbstore.datastore.datastore import Datastore
from pbstore.datastore.manifest_file import read_manifest
from pbstore.datastore.verify_state import VerifyState
from pbstore.model.backup import BackupGroup, Snapshot
from pbstore.model.namespace import Namespace
from reference.recorded_server import RecordedServer
from unpack import unpack

VERIFY = "/api2/json/admin/datastore/bad/verify"
ROOT = Namespace()
GROUPS = ("badidx", "badman", "corrupt", "good", "missing", "okay")
CHUNK_LINE = re.compile(r"can't verify chunk|corrupt chunk renamed|detected chunk with wrong digest")
SPEED = re.compile(r"in [0-9.]+ seconds, speed [0-9.]+/[0-9.]+ MiB/s")


def serve(fixtures: Path, archive: str, directory: Path) -> RecordedServer:
    store = unpack(fixtures / archive, directory / "bad")
    return RecordedServer(directory / "server", {"bad": store})


@pytest.fixture
def before(fixtures_423: Path, tmp_path: Path) -> Iterator[RecordedServer]:
    server = serve(fixtures_423, "datastore-bad-before-verify.tar.xz", tmp_path)
    yield server
    server.site.registry.close()


@pytest.fixture
def after(fixtures_423: Path, tmp_path: Path) -> Iterator[RecordedServer]:
    server = serve(fixtures_423, "datastore-bad-after-verify.tar.xz", tmp_path)
    yield server
    server.site.registry.close()


def verify(server: RecordedServer, **parameters: object) -> list[str]:
    """Run a verify task; the lines of its log."""
    wire = {name.replace("_", "-"): value for name, value in parameters.items()}
    return server.task_lines(server.send("POST", VERIFY, wire).data)


def recorded_log(fixtures: Path, name: str) -> list[str]:
    """What the original printed of its last task there."""
    text = (fixtures / "cli" / name).read_text().rpartition("--- stdout\n")[2]
    return [comparable(line) for line in text.partition("--- stderr\n")[0].splitlines()]


def comparable(line: str) -> str:
    """A line without what differs in every run, and without the reason of a failure, whose words are our own."""
    line = re.sub(r"(unable to load blob) .*", r"\1", line)
    return SPEED.sub("in 0 seconds", line)


def our_log(lines: list[str]) -> list[str]:
    """Our lines without those on single chunks, which the original writes to its system log only."""
    return [comparable(line) for line in lines if not CHUNK_LINE.match(line)]


def files(store: Path) -> set[str]:
    return {str(path.relative_to(store)) for path in store.rglob("*") if path.is_file()}


def states(datastore: Datastore) -> dict[str, bool | None]:
    found = {}
    for name in GROUPS:
        snapshot = Snapshot(BackupGroup.parse(f"host/{name}"), 1780300800)
        state = VerifyState.of(read_manifest(datastore, ROOT, snapshot)[0])
        found[name] = None if state is None else state.is_ok
    return found


def test_same_findings(fixtures_423: Path, before: RecordedServer, tmp_path: Path) -> None:
    lines = verify(before)
    # The original's number of errors is that of the chunks it could not load: it forgets the one with a wrong digest.
    theirs = [
        line.replace("(2 errors)", "(3 errors)") if "0.00/8.00 MiB" in line and "corrupt" in previous else line
        for previous, line in with_group(recorded_log(fixtures_423, "bad-verify.txt"))
    ]
    assert our_log(lines) == theirs
    listed = (fixtures_423 / "cli/bad-files-after-verify.txt").read_text().split()
    assert files(tmp_path / "bad") == {name.removeprefix("ds2/") for name in listed}
    told = [line for line in lines if CHUNK_LINE.match(line)]
    assert len([line for line in told if "renamed" in line]) == 4
    assert len([line for line in told if "load failed" in line]) == 4
    assert len([line for line in told if "wrong digest" in line]) == 1


def with_group(lines: list[str]) -> list[tuple[str, str]]:
    """Each line with the line of its group."""
    found, group = [], ""
    for line in lines:
        group = line if line.startswith("verify group") else group
        found.append((group, line))
    return found


def test_same_states(before: RecordedServer) -> None:
    verify(before)
    ours = states(before.site.registry.datastores.get("bad", Operation.READ))
    assert ours == {**dict.fromkeys(GROUPS, False), "okay": True}
    answer = before.ask("/api2/json/admin/datastore/bad/snapshots").data
    assert {item["verification"]["state"] for item in answer if item["backup-id"] != "okay"} == {"failed"}


def test_the_second_time_nothing_is_verified_again(fixtures_423: Path, before: RecordedServer) -> None:
    verify(before)
    lines = verify(before)
    assert lines[-1] == "TASK OK"
    skipped = [line for line in lines if line.startswith("SKIPPED")]
    assert skipped == [f"SKIPPED: verify bad:host/{name}/2026-06-01T08:00:00Z (recently verified)" for name in GROUPS]


def test_without_the_filter_the_same_is_found_again(fixtures_423: Path, before: RecordedServer) -> None:
    """Now all three chunks of host/corrupt are missing, so the original's number of errors is right too."""
    verify(before)
    assert our_log(verify(before, ignore_verified=0)) == recorded_log(fixtures_423, "bad-verify2.txt")


def test_same_findings_after_the_next_backups_healed_the_chunks(fixtures_423: Path, after: RecordedServer) -> None:
    datastore = after.site.registry.datastores.get("bad", Operation.READ)
    theirs = states(datastore)
    assert our_log(verify(after, ignore_verified=0)) == recorded_log(fixtures_423, "bad-verify3.txt")
    assert states(datastore) == theirs == {**dict.fromkeys(GROUPS, True), "badidx": False, "badman": False}


@pytest.mark.parametrize("threads", [(1, 1), (32, 32)])
def test_threads_change_nothing(before: RecordedServer, threads: tuple[int, int], tmp_path: Path) -> None:
    lines = verify(before, read_threads=threads[0], verify_threads=threads[1])
    assert f"using {threads[0]} read and {threads[1]} verify thread(s)" in lines
    assert len(list((tmp_path / "bad/.chunks").rglob("*.0.bad"))) == 4
    assert lines[-1] == "TASK ERROR: verification failed - please check the log for details"
