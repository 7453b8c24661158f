"""Catalogs in the snapshots of the original, put together from their chunks and compared with its `catalog dump`."""

import base64
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pbstore import _core

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


def assemble(datastore: Path, index_path: Path, key: _core.CryptKey | None) -> bytes:
    index = _core.DynamicIndex.parse(index_path.read_bytes())
    digests = [index.digest(number).hex() for number in range(len(index))]
    chunks = [datastore / ".chunks" / digest[:4] / digest for digest in digests]
    return b"".join(_core.open_blob(chunk.read_bytes(), key=key) for chunk in chunks)


@pytest.mark.parametrize("snapshot", SNAPSHOTS)
def test_catalog_as_the_original_dumps_it(
    snapshot: str, datastore_323: Path, fixtures_323: Path, tmp_path: Path
) -> None:
    key = None
    if "/enc/" in snapshot:
        key_file = json.loads((fixtures_323 / "keys" / "none.json").read_text())
        key = _core.CryptKey(base64.b64decode(key_file["data"]))
    path = tmp_path / "catalog"
    path.write_bytes(assemble(datastore_323, datastore_323 / snapshot / "catalog.pcat1.didx", key))
    dump = fixtures_323 / "store-out" / (snapshot.replace("/", "_").replace(":", "_") + ".catalog.txt")
    expected = [line for line in dump.read_text().splitlines() if line[1:3] == ' "']
    assert [catalog_line(entry) for entry in _core.Catalog(path).entries()] == expected
    assert len(expected) > 1
