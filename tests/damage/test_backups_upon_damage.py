"""Backups upon a damaged last backup: what is damaged is not used, and what is made is whole."""

import re
import time
from pathlib import Path

import pytest

from backup_site import newest
from damage.stored import Stored, damaged, flipped

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]


@pytest.fixture
def last(stored: Stored, request: pytest.FixtureRequest) -> Path:
    """The directory of a backup of its own."""
    group = re.sub(r"\W", "-", request.node.name)
    stored.site.succeed(*words(stored, group))
    (made,) = stored.site.snapshots(f"host/{group}")
    # The next one has to have another time.
    time.sleep(1.1)
    return made


def words(stored: Stored, group: str) -> list[str | Path]:
    archives = [f"disk.img:{stored.sources / 'disk.img'}", f"tree.pxar:{stored.sources / 'tree'}"]
    return ["backup", *archives, "--backup-id", group]


def check_restored(stored: Stored, group: str, target: Path) -> None:
    """The newest snapshot of the group is whole."""
    stored.snapshots["again"] = newest(stored.site.snapshots(f"host/{group}"))
    for archive in ("disk.img", "tree.pxar"):
        stored.check_restored("again", archive, target / archive)


@pytest.mark.parametrize(("file", "at"), [("disk.img.fidx", 0), ("disk.img.fidx", -1), ("tree.pxar.didx", -1)])
def test_a_damaged_index_is_not_used(stored: Stored, last: Path, tmp_path: Path, file: str, at: int) -> None:
    group = last.parent.name
    with damaged(last / file, flipped((last / file).read_bytes(), at)):
        outcome = stored.site.succeed(*words(stored, group))
    assert re.search(rf"Error downloading {file} from previous manifest: .*", outcome.stderr), outcome.stderr
    check_restored(stored, group, tmp_path)


def test_a_damaged_manifest_stops_backups(stored: Stored, last: Path) -> None:
    """Nobody knows any more whether the last backup was found bad. Its file is named; removing the snapshot helps."""
    path = last / "index.json.blob"
    with damaged(path, flipped(path.read_bytes(), -1)):
        line = stored.site.error(*words(stored, last.parent.name))
    assert line.startswith(f"Error: {path}: blob has wrong CRC-32")
    assert stored.site.snapshots(f"host/{last.parent.name}") == [last]


def test_a_known_chunk_that_is_damaged_cannot_be_noticed(stored: Stored, last: Path, tmp_path: Path) -> None:
    """Chunks of the last backup are not read again; verification can tell, and then nobody builds upon that backup."""
    group = last.parent.name
    chunk = stored.chunk("plain", "disk.img.fidx", 0)
    with damaged(chunk, flipped(chunk.read_bytes(), -1)):
        stored.site.succeed(*words(stored, group))
        stored.snapshots["again"] = newest(stored.site.snapshots(f"host/{group}"))
        line = stored.check_refused("again", "disk.img", tmp_path / "target")
        assert f"disk.img: chunk 0 ({chunk.name})" in line
    check_restored(stored, group, tmp_path)
