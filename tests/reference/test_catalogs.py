"""Catalogs in the snapshots of the original: as it dumps them, and as they follow from the archives."""

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from oracle import catalog
from oracle.pxar_decoder import Archive, decode
from pbstore import _core
from reference.original_store import OriginalStore

SNAPSHOTS = [
    "ct/101/2024-06-05T14:24:36Z",
    "host/enc/2024-06-05T14:24:36Z",
    "host/fixhost/2024-06-05T14:24:36Z",
    "host/fixhost/2024-06-06T14:24:36Z",
    "host/noexcl/2024-06-05T14:24:36Z",
    "host/rec/2024-06-05T14:24:36Z",
]


def catalog_line(entry: _core.CatalogEntry) -> str:
    """A line of `catalog dump` (cli-client.md 6), for the time zone UTC."""
    text = ("." + entry.path.decode(errors="surrogateescape")).replace("\\", "\\\\").replace("\n", "\\n")
    shown = "".join(f"\\x{ord(c) - 0xDC00:02X}" if 0xDC80 <= ord(c) <= 0xDCFF else c for c in text)
    line = f'{entry.kind} "{shown}"'
    if entry.kind == "f":
        line += f" {entry.size} {datetime.fromtimestamp(entry.mtime_seconds, UTC):%Y-%m-%dT%H:%M:%SZ}"
    return line


@pytest.mark.parametrize("snapshot", SNAPSHOTS)
def test_catalog_as_the_original_dumps_it(
    snapshot: str, store_323: OriginalStore, fixtures_323: Path, tmp_path: Path
) -> None:
    path = tmp_path / "catalog"
    path.write_bytes(store_323.read(store_323.path / snapshot / "catalog.pcat1.didx"))
    dump = fixtures_323 / "store-out" / (snapshot.replace("/", "_").replace(":", "_") + ".catalog.txt")
    expected = [line for line in dump.read_text().splitlines() if line[1:3] == ' "']
    assert [catalog_line(entry) for entry in _core.Catalog(path).entries()] == expected
    assert len(expected) > 1


def test_catalogs_follow_from_their_archives(original_store: OriginalStore) -> None:
    """The twin makes each catalog, byte for byte, from the archives beside it."""
    compared = 0
    for path in original_store.files("catalog.pcat1.didx"):
        names = [entry.filename for entry in original_store.manifest(path.parent).files]
        archives = [name for name in names if name.endswith(".pxar.didx")]
        roots = {name.encode(): decode(Archive(original_store.read(path.parent / name))).root for name in archives}
        assert catalog.encode(roots) == original_store.read(path)
        compared += 1
    assert compared >= 2


@pytest.mark.root
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can restore owners and devices: run as root")
def test_catalogs_and_archives_are_made_again_byte_for_byte(original_store: OriginalStore, tmp_path: Path) -> None:
    """Of every tree without exclusion patterns, which 3.2.4 understands in another way."""
    compared = 0
    for number, path in enumerate(original_store.files("*.pxar.didx")):
        archive, place = original_store.read(path), tmp_path / str(number)
        place.mkdir()
        if b".pxarexclude" in archive or len(list(path.parent.glob("*.pxar.didx"))) > 1:
            continue
        (place / "archive").write_bytes(archive)
        _core.extract_pxar(place / "archive", place / "tree")
        _core.create_pxar(place / "tree", place / path.name, catalog_path=place / "catalog")
        assert (place / path.name).read_bytes() == archive
        assert (place / "catalog").read_bytes() == original_store.read(path.with_name("catalog.pcat1.didx"))
        compared += 1
    assert compared >= 2
