"""Chunks that are not what they should be."""

import os
from pathlib import Path

import pytest

from pbstore._core import DynamicIndex, FixedIndex, TreeOptions
from pbstore.errors import PbstoreError, ServerError
from session.client.client_site import BLOCK, ClientSite, restore_image


def test_a_damaged_chunk_is_named(site: ClientSite, image: Path, tmp_path: Path) -> None:
    with image.open("rb+") as file:
        file.seek(2 * BLOCK)
        file.write(os.urandom(BLOCK))
    reader, index, _ = site.back_up_image(image)
    digest = FixedIndex.parse(index).digest(2)
    chunk = site.chunk_path(digest)
    good = chunk.read_bytes()
    damaged = good[:-1] + bytes([good[-1] ^ 1])
    for content, reason in ((damaged, "wrong CRC-32"), (good[:8], "shorter"), (b"", "shorter")):
        chunk.write_bytes(content)
        with pytest.raises(PbstoreError) as caught:
            restore_image(reader, index, tmp_path / "back")
        assert str(caught.value).startswith(f"disk.img: chunk 2 ({digest.hex()}): "), (reason, str(caught.value))
        assert "\n" not in str(caught.value)
    chunk.unlink()
    with pytest.raises(ServerError, match=f"^disk.img: chunk 2 \\({digest.hex()}\\): "):
        restore_image(reader, index, tmp_path / "back")


def test_another_chunk_in_its_place_is_noticed(site: ClientSite, tree: Path, tmp_path: Path) -> None:
    snapshot, session = site.backup()
    stats = session.upload_tree(tree, "root.pxar.didx", key=None, options=TreeOptions(chunk_size=64 << 10))
    reader = site.finish(snapshot, session, {"root.pxar.didx": stats})
    raw = reader.request("GET", "download", "file-name=root.pxar.didx")
    index = DynamicIndex.parse(raw)
    target, other = site.chunk_path(index.digest(5)), site.chunk_path(index.digest(6))
    good = target.read_bytes()
    target.write_bytes(other.read_bytes())
    with pytest.raises(PbstoreError, match=rf"^root\.pxar: chunk 5 \({index.digest(5).hex()}\): "):
        reader.restore_tree(raw, tmp_path / "back", key=None, crypt_mode="none", archive_name="root.pxar")
    target.write_bytes(good)
