"""Trees up and down again as split archives through the client's compiled core."""

import os
import random
from pathlib import Path

import pytest

from pbstore._core import CryptKey, DynamicIndex, Progress, UnpackOptions
from pbstore.errors import EncryptionKeyError, FormatError, PbstoreError, ServerError
from session.client.client_site import ClientSite
from session.client.split_site import METADATA, OPTIONS, PAYLOAD, Kept, keep
from tree_snapshot import tree_snapshot

pytestmark = pytest.mark.slow

KEY = CryptKey(bytes(range(32)))


@pytest.fixture
def group(site: ClientSite) -> str:
    """A group of its own."""
    return f"split-{next(site.times)}"


@pytest.mark.parametrize("key", [None, KEY])
def test_a_tree_comes_back(site: ClientSite, tree: Path, tmp_path: Path, group: str, key: CryptKey | None) -> None:
    kept = keep(site, tree, group, key=key)
    kept.restore(tmp_path / "back", key)
    assert tree_snapshot(tmp_path / "back") == tree_snapshot(tree)
    again = keep(site, tree, group, kept, key)
    assert (again.stats.encoded_file_count, again.stats.reused_file_count) == (0, kept.stats.encoded_file_count)
    assert again.stats.payload.uploaded_bytes <= 32, "at most the two markers"
    again.restore(tmp_path / "again", key)
    assert tree_snapshot(tmp_path / "again") == tree_snapshot(tree)


def test_more_chunks_than_go_into_one_call_are_used_again(site: ClientSite, tmp_path: Path, group: str) -> None:
    tree, rng = tmp_path / "tree", random.Random(1)  # noqa: S311
    tree.mkdir()
    for number in range(900):
        (tree / f"{number:04}").write_bytes(rng.randbytes(2000))
    kept = keep(site, tree, group)
    assert len(DynamicIndex.parse(kept.payload)) > 3 * 256
    again = keep(site, tree, group, kept)
    assert again.stats.injected_chunk_count > 3 * 256
    again.restore(tmp_path / "back")
    assert tree_snapshot(tmp_path / "back") == tree_snapshot(tree)


def test_a_content_that_changed_behind_equal_metadata_is_not_read(site: ClientSite, tmp_path: Path, group: str) -> None:
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "file").write_bytes(b"old " * 10_000)
    kept = keep(site, tree, group)
    facts = (tree / "file").stat()
    (tree / "file").write_bytes(b"new " * 10_000)
    os.utime(tree / "file", ns=(facts.st_atime_ns, facts.st_mtime_ns))
    keep(site, tree, group, kept).restore(tmp_path / "back")
    assert (tmp_path / "back" / "file").read_bytes() == b"old " * 10_000


def test_a_previous_archive_with_a_bad_chunk_is_a_warning(
    site: ClientSite, tree: Path, tmp_path: Path, group: str
) -> None:
    kept = keep(site, tree, group)
    index = DynamicIndex.parse(kept.metadata)
    chunk = site.chunk_path(index.digest(len(index) - 1))
    good = chunk.read_bytes()
    chunk.write_bytes(good[:-1] + bytes([good[-1] ^ 1]))
    _, session = site.backup(group)
    payload = DynamicIndex.parse(session.request("GET", "previous", f"archive-name={PAYLOAD}"))
    progress = Progress()
    stats = session.upload_split_tree(
        tree,
        METADATA,
        PAYLOAD,
        key=None,
        previous_payload=payload,
        reference=kept.open(kept.metadata),
        options=OPTIONS,
        progress=progress,
    )
    chunk.write_bytes(good)
    ((level, warning),) = progress.take_lines()
    assert (level, stats.warning_count, progress.take_lines()) == ("warn", 1, [])
    assert index.digest(len(index) - 1).hex() in warning
    assert stats.encoded_file_count == kept.stats.encoded_file_count
    session.close()


def test_patterns_fetch_what_they_select(site: ClientSite, tree: Path, tmp_path: Path, group: str) -> None:
    kept = keep(site, tree, group)
    restored = kept.reader.restore_tree(
        kept.metadata,
        tmp_path / "back",
        payload_index=kept.payload,
        key=None,
        crypt_mode="none",
        options=UnpackOptions(patterns=["/hard", "/deep/file-7"]),
    )
    assert {path.name for path in (tmp_path / "back").rglob("*")} == {"hard", "deep", "file-7"}
    assert (tmp_path / "back" / "hard").read_bytes() == (tree / "hard").read_bytes()
    assert restored.size < DynamicIndex.parse(kept.payload).size / 2
    with pytest.raises(FormatError, match="pattern"):
        UnpackOptions(patterns=["[a"])


def test_streams_can_be_read_at_any_place(site: ClientSite, tree: Path, tmp_path: Path, group: str) -> None:
    kept = keep(site, tree, group, key=KEY)
    with (tmp_path / "whole").open("wb") as file:
        kept.reader.restore_stream(kept.payload, file.fileno(), key=KEY, crypt_mode="encrypt")
    whole, rng = (tmp_path / "whole").read_bytes(), random.Random(5)  # noqa: S311
    archive = kept.open(kept.payload, KEY)
    assert archive.size == len(whole)
    for start in [0, len(whole), len(whole) + 5, *(rng.randrange(len(whole)) for _ in range(50))]:
        length = rng.choice([0, 1, 100, 20_000])
        assert archive.read(start, length) == whole[start : start + length]
    with pytest.raises(EncryptionKeyError, match="its key is needed"):
        kept.reader.open_archive(kept.payload, key=None, crypt_mode="encrypt")


def test_streams_that_do_not_fit_together(site: ClientSite, tree: Path, tmp_path: Path, group: str) -> None:
    kept = keep(site, tree, group)
    mixed = Kept(kept.reader, kept.metadata, kept.metadata, kept.stats)
    with pytest.raises(PbstoreError, match="damaged payload stream at byte 0"):
        mixed.restore(tmp_path / "back")
    with pytest.raises(PbstoreError, match="name its payload too"):
        kept.reader.restore_tree(kept.metadata, tmp_path / "alone", key=None, crypt_mode="none")


def test_an_index_that_was_not_fetched_in_the_session(site: ClientSite, tree: Path, group: str) -> None:
    kept = keep(site, tree, group)
    _, session = site.backup(group)
    with pytest.raises(ServerError, match="no such chunk"):
        session.upload_split_tree(
            tree,
            METADATA,
            PAYLOAD,
            key=None,
            previous_payload=DynamicIndex.parse(kept.payload),
            reference=kept.open(kept.metadata),
            options=OPTIONS,
        )
    session.close()
