"""Damaged files beside and below a group: its owner, its notes, the client's log."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from backup_site import PASSWORD
from damage.stored import Stored, damaged, flipped
from oracle import blob as twin
from pbstore.model.backup import Snapshot
from running_server import Answer

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]
STORE = "/api2/json/admin/datastore/main"


@pytest.fixture
def session(stored: Stored) -> dict[str, str]:
    """Headers of a ticket."""
    return stored.site.server.login("archiver@pbs", PASSWORD)


def ask(stored: Stored, session: dict[str, str], method: str, **parameters: object) -> Answer:
    group = {"backup-type": "host", "backup-id": "plain"}
    return stored.site.server.request("GET", f"{STORE}/{method}", group | parameters, headers=session)


def back_up(stored: Stored) -> list[str | Path]:
    """The words of a backup into the group."""
    return ["backup", f"disk.img:{stored.sources / 'disk.img'}", "--backup-id", "plain"]


@pytest.mark.parametrize("content", [b"", b"nobody", b"\xff\xfe@pbs\n", b"a" * 2000])
def test_an_owner_that_is_none(stored: Stored, content: bytes) -> None:
    path = stored.site.store / "host" / "plain" / "owner"
    before = stored.site.snapshots("host/plain")
    with damaged(path, content):
        line = stored.site.error(*back_up(stored))
    assert line.startswith(f"Error: unable to load owner of group 'host/plain': {path}: ")
    assert stored.site.snapshots("host/plain") == before


def test_an_owner_that_is_another(stored: Stored) -> None:
    """A wrong name that could be right cannot be told; who is not the owner is refused, and told who is."""
    path = stored.site.store / "host" / "plain" / "owner"
    with damaged(path, flipped(path.read_bytes(), 0)):
        assert "backup owner check failed (archiver@pbs != erchiver@pbs)" in stored.site.error(*back_up(stored))


@pytest.mark.parametrize("content", [b"", b"\xff\xfe broken \xc3", b"\0" * 9])
def test_notes_are_text_whatever_they_are(stored: Stored, session: dict[str, str], content: bytes) -> None:
    """Free text without checksum: nobody can notice, but listings go on."""
    path = stored.site.store / "host" / "plain" / "notes"
    path.write_bytes(content)
    answer = ask(stored, session, "group-notes")
    assert (answer.status, answer.data) == (200, content.decode(errors="replace"))
    assert "host/plain" in stored.site.succeed("list").stdout
    path.unlink()


@pytest.fixture
def log(stored: Stored) -> Iterator[Path]:
    """A client log, which no manifest lists."""
    path = stored.directory("plain") / "client.log.blob"
    path.write_bytes(twin.seal("compressed", b"a line\n" * 100))
    yield path
    path.unlink()


@pytest.mark.parametrize(
    ("at", "said"), [(0, "unknown magic"), (8, "wrong CRC-32"), (12, "wrong CRC-32"), (-1, "wrong CRC-32")]
)
def test_the_log_of_a_client(stored: Stored, session: dict[str, str], log: Path, at: int, said: str) -> None:
    backup_time = Snapshot.parse(stored.snapshots["plain"]).backup_time
    wanted = {"backup-time": backup_time, "file-name": log.name}
    assert ask(stored, session, "download-decoded", **wanted).body == b"a line\n" * 100
    with damaged(log, flipped(log.read_bytes(), at)):
        answer = ask(stored, session, "download-decoded", **wanted)
    assert answer.status == 400
    assert re.match(rf"{log.name}: .*{said}", answer.text), answer.text
