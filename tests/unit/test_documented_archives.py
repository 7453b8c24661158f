"""The examples in the pages about pxar archives and catalogs are what the code reads and writes."""

import re
from pathlib import Path

from pbstore import _core

FORMATS = Path(__file__).parents[2] / "docs" / "formats"


def example(page: str, label: str) -> bytes:
    found = re.search(rf"```hex {label}\n(.*?)```", (FORMATS / page).read_text(), re.DOTALL)
    assert found
    return bytes.fromhex(found[1])


def test_archive(tmp_path: Path) -> None:
    path = tmp_path / "a.pxar"
    path.write_bytes(example("pxar.md", "empty"))
    (root,) = _core.list_pxar(path)
    assert (root.path, root.kind, root.mode, root.mtime_seconds) == (b"/", "d", 0o040755, 1_700_000_000)


def test_catalog(tmp_path: Path) -> None:
    path = tmp_path / "catalog"
    path.write_bytes(example("catalog.md", "catalog"))
    catalog = _core.Catalog(path)
    assert [(entry.path, entry.kind) for entry in catalog.entries()] == [
        (b"/a.pxar.didx", "d"),
        (b"/a.pxar.didx/f", "f"),
    ]
    (entry,) = catalog.directory(b"a.pxar.didx") or []
    assert (entry.path, entry.size, entry.mtime_seconds) == (b"a.pxar.didx/f", 300, -1)
    assert catalog.directory(b"/a.pxar.didx/f") is None
