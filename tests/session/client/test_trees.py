"""Trees up and down again as version 1 archives through the client's compiled core."""

from pathlib import Path

import pytest

from pbstore._core import CryptKey, DynamicIndex, TreeOptions
from pbstore.errors import FormatError, PbstoreError
from session.client.client_site import MIB, ClientSite
from tree_snapshot import tree_snapshot

KEY = CryptKey(bytes(range(32)))


def test_a_tree_comes_back_and_is_not_sent_again(site: ClientSite, tree: Path, tmp_path: Path) -> None:
    for key, mode in ((None, "none"), (KEY, "encrypt")):
        snapshot, session = site.backup(f"tree-{mode}")
        catalog = session.start_catalog(key=key)
        stats = session.upload_tree(
            tree, "root.pxar.didx", key=key, catalog=catalog, options=TreeOptions(chunk_size=256 << 10)
        )
        archives = {"root.pxar.didx": stats, "catalog.pcat1.didx": catalog.finish()}
        reader = site.finish(snapshot, session, archives, encrypted=key is not None)
        index = reader.request("GET", "download", "file-name=root.pxar.didx")
        target = tmp_path / f"back-{mode}"
        restored = reader.restore_tree(index, target, key=key, crypt_mode=mode)
        assert (restored.size, restored.warning_count) == (stats.size, 0)
        assert tree_snapshot(target) == tree_snapshot(tree)
        reader.close()
        _, session = site.backup(f"tree-{mode}")
        previous = DynamicIndex.parse(session.request("GET", "previous", "archive-name=root.pxar.didx"))
        again = session.upload_tree(
            tree, "root.pxar.didx", key=key, previous=previous, options=TreeOptions(chunk_size=256 << 10)
        )
        assert (again.csum, again.uploaded_chunk_count) == (stats.csum, 0)
        session.close()


def test_a_tree_as_a_stream_is_its_archive(site: ClientSite, tree: Path, tmp_path: Path) -> None:
    snapshot, session = site.backup()
    stats = session.upload_tree(
        tree, "root.pxar.didx", key=None, options=TreeOptions(chunk_size=64 << 10, exclude=["zeros", "/deep/er"])
    )
    reader = site.finish(snapshot, session, {"root.pxar.didx": stats})
    index = reader.request("GET", "download", "file-name=root.pxar.didx")
    with (tmp_path / "archive").open("wb") as file:
        assert reader.restore_stream(index, file.fileno(), key=None, crypt_mode="none") == stats.size
    assert (tmp_path / "archive").stat().st_size == stats.size < 20 * MIB


def test_sources_and_patterns_that_are_none(site: ClientSite, tmp_path: Path) -> None:
    _, session = site.backup()
    with pytest.raises(FormatError, match="pattern"):
        TreeOptions(exclude=["[a"])
    catalog = session.start_catalog(key=None)
    with pytest.raises(PbstoreError, match=r"root\.pxar\.didx: .*absent"):
        session.upload_tree(tmp_path / "absent", "root.pxar.didx", key=None, catalog=catalog)
    with pytest.raises(PbstoreError, match="another upload of this session failed"):
        catalog.finish()
