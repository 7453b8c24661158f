"""Images up and down again through the client's compiled core."""

import os
import random
import threading
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pbstore._core import CryptKey, FixedIndex, Progress
from pbstore.errors import EncryptionKeyError, FormatError, IntegrityError, PbstoreError
from session.client.client_site import BLOCK, ClientSite, restore_image

pytestmark = pytest.mark.slow

KEY = CryptKey(bytes(range(32)))


def test_an_image_comes_back_with_its_holes(site: ClientSite, image: Path, tmp_path: Path) -> None:
    reader, index, stats = site.back_up_image(image)
    assert (stats.chunk_count, stats.size) == (8, image.stat().st_size)
    assert stats.csum == FixedIndex.parse(index).csum
    assert restore_image(reader, index, tmp_path / "back") == image.read_bytes()
    assert (tmp_path / "back").stat().st_blocks * 512 < 5 * BLOCK
    read, write = os.pipe()
    with os.fdopen(write, "wb") as sink, os.fdopen(read, "rb") as source:
        got: list[bytes] = []
        drain = threading.Thread(target=lambda: got.append(source.read(image.stat().st_size)))
        drain.start()
        reader.restore_image(index, sink.fileno(), key=None, crypt_mode="none")
        drain.join()
    assert got == [image.read_bytes()]


def test_an_old_file_is_replaced_to_the_last_byte(site: ClientSite, image: Path, tmp_path: Path) -> None:
    reader, index, _ = site.back_up_image(image)
    for sparse in (True, False):
        target = tmp_path / "old"
        target.write_bytes(b"\xff" * (10 * BLOCK))
        with target.open("rb+") as file:
            reader.restore_image(index, file.fileno(), key=None, crypt_mode="none", sparse=sparse)
        assert target.read_bytes() == image.read_bytes()


def test_what_the_previous_snapshot_has_is_not_sent_again(site: ClientSite, image: Path) -> None:
    reader, _, first = site.back_up_image(image, "again")
    reader.close()
    snapshot, session = site.backup("again")
    previous = FixedIndex.parse(session.request("GET", "previous", "archive-name=disk.img.fidx"))
    with image.open("rb+") as file:
        file.seek(BLOCK)
        file.write(os.urandom(10))
    progress = Progress()
    stats = session.upload_image(image, "disk.img.fidx", key=None, previous=previous, progress=progress)
    assert (stats.uploaded_chunk_count, stats.uploaded_bytes) == (1, BLOCK)
    assert stats.reused_bytes == first.size - BLOCK
    assert (progress.processed_bytes, progress.total_bytes) == (first.size, first.size)
    assert (progress.uploaded_bytes, progress.reused_bytes) == (stats.uploaded_bytes, stats.reused_bytes)
    site.finish(snapshot, session, {"disk.img.fidx": stats})


def test_an_encrypted_image_needs_the_key_and_the_mode(site: ClientSite, image: Path, tmp_path: Path) -> None:
    reader, index, _ = site.back_up_image(image, key=KEY)
    back = tmp_path / "back"
    assert restore_image(reader, index, back, key=KEY, crypt_mode="encrypt") == image.read_bytes()
    with pytest.raises(EncryptionKeyError, match=r"disk\.img is encrypted: its key is needed"):
        restore_image(reader, index, back, crypt_mode="encrypt")
    with pytest.raises(IntegrityError, match="cannot decrypt"):
        restore_image(reader, index, back, key=CryptKey(bytes(32)), crypt_mode="encrypt")
    for mode in ("none", "sign-only"):
        with pytest.raises(IntegrityError, match="it is encrypted, although the archive is not"):
            restore_image(reader, index, back, key=KEY, crypt_mode=mode)
    with pytest.raises(FormatError):
        restore_image(reader, index, back, crypt_mode="rot13")


def test_a_plain_chunk_cannot_pass_for_an_encrypted_one(site: ClientSite, image: Path, tmp_path: Path) -> None:
    reader, index, _ = site.back_up_image(image)
    with pytest.raises(IntegrityError, match="it is not encrypted, although the archive is"):
        restore_image(reader, index, tmp_path / "back", key=KEY, crypt_mode="encrypt")


@pytest.mark.parametrize("what", ["empty", "directory", "absent"])
def test_images_that_are_none(site: ClientSite, tmp_path: Path, what: str) -> None:
    path = tmp_path / what
    if what == "empty":
        path.touch()
    elif what == "directory":
        path.mkdir()
    _, session = site.backup()
    with pytest.raises(PbstoreError, match=r"disk\.img\.fidx: "):
        session.upload_image(path, "disk.img.fidx", key=None)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    parts=st.lists(
        st.tuples(st.sampled_from(["noise", "zeros", "hole", "text"]), st.integers(1, 3 * BLOCK)),
        min_size=1,
        max_size=4,
    ),
    encrypt=st.booleans(),
    seed=st.integers(0, 3),
)
def test_any_content_comes_back(
    site: ClientSite, tmp_path: Path, parts: list[tuple[str, int]], encrypt: bool, seed: int
) -> None:
    path, noise = tmp_path / "source", random.Random(seed)  # noqa: S311

    def content(kind: str, length: int) -> bytes:
        if kind == "noise":
            return noise.randbytes(length)
        return bytes(length) if kind == "zeros" else (b"row %d\n" % seed * length)[:length]

    with path.open("wb") as file:
        for kind, length in parts:
            if kind == "hole":
                file.seek(length, os.SEEK_CUR)
            else:
                file.write(content(kind, length))
        file.truncate(max(file.tell(), 1))
    key, mode = (KEY, "encrypt") if encrypt else (None, "none")
    reader, index, _ = site.back_up_image(path, key=key)
    assert restore_image(reader, index, tmp_path / "back", key=key, crypt_mode=mode) == path.read_bytes()
    reader.close()
