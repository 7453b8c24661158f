"""Split archives of the original's backups, put together from their chunks: checked, listed and extracted."""

import hashlib
import os
from pathlib import Path

import pytest

from pbstore import _core
from pbstore.errors import FormatError, PbstoreError
from pbstore.format.key_file import KeyFile
from recorded_tree import recorded_tree
from tree_snapshot import tree_snapshot

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can restore owners and devices: run as root")
ARCHIVES = [
    *(("split", generation, tree) for generation in (1, 2, 3) for tree in ("etc", "tree")),
    *(("encsplit", generation, "enc") for generation in (1, 2, 3)),
]


def put_together(datastore: Path, fixtures: Path, index_path: Path, target: Path) -> Path:
    """Decode the chunks of an index into a file."""
    key = _core.CryptKey(KeyFile.parse((fixtures / "keys" / "enc.json").read_bytes()).open(lambda: ""))
    index = _core.DynamicIndex.parse(index_path.read_bytes())
    with target.open("wb") as file:
        for number in range(len(index)):
            digest = index.digest(number).hex()
            blob = (datastore / ".chunks" / digest[:4] / digest).read_bytes()
            file.write(_core.open_blob(blob, key=key))
    return target


def streams(datastore: Path, fixtures: Path, name: tuple[str, int, str], target: Path) -> tuple[Path, Path]:
    """Metadata and payload of an archive of the fixtures, which are what the original put together."""
    group, generation, tree = name
    snapshot = datastore / "host" / group / f"2026-06-0{generation}T08:00:00Z"
    lines = [line.split() for line in (fixtures / "items" / "SHA256SUMS-and-sizes").read_text().splitlines()]
    sums = {path: digest for digest, path in lines if len(digest) == 64}
    paths = []
    for suffix in ("mpxar", "ppxar"):
        path = put_together(datastore, fixtures, snapshot / f"{tree}.{suffix}.didx", target / f"{tree}.{suffix}")
        assert hashlib.sha256(path.read_bytes()).hexdigest() == sums[f"{group}-g{generation}-{tree}.{suffix}"]
        paths.append(path)
    return paths[0], paths[1]


@pytest.mark.root
@needs_root
@pytest.mark.parametrize("name", ARCHIVES, ids=lambda name: f"{name[0]}-g{name[1]}-{name[2]}")
def test_backups_of_423_are_extracted(
    name: tuple[str, int, str], datastore_423: Path, fixtures_423: Path, tmp_path: Path
) -> None:
    metadata, payload = streams(datastore_423, fixtures_423, name, tmp_path)
    group, generation, tree = name
    restored = f"restored-g{generation}-{group}-{tree}"
    prelude = tmp_path / "prelude"
    stats = _core.extract_pxar(metadata, tmp_path / "target", payload_path=payload, prelude_path=prelude)
    expected = recorded_tree(fixtures_423 / "trees" / f"{restored}.json.xz")
    assert (stats.warnings, stats.entry_count) == ([], len(expected))
    assert tree_snapshot(tmp_path / "target") == expected
    assert prelude.read_bytes() == (fixtures_423 / "trees" / f"{restored}.prelude").read_bytes()
    # Every content is where the archive says, which the listing checks too.
    assert len(list(_core.list_pxar(metadata, payload))) == len(expected)


def test_what_patterns_chose_in_423(datastore_423: Path, fixtures_423: Path, tmp_path: Path) -> None:
    metadata, payload = streams(datastore_423, fixtures_423, ("split", 2, "tree"), tmp_path)
    patterns = [b"/small/s-01*", b"**/*.conf"]
    without = [] if os.geteuid() == 0 else ["ownership"]
    _core.extract_pxar(metadata, tmp_path / "target", payload_path=payload, patterns=patterns, without=without)
    found = sorted("./" + str(path.relative_to(tmp_path / "target")) for path in (tmp_path / "target").rglob("*"))
    recorded = (fixtures_423 / "cli" / "restore-log-partial.files").read_text().splitlines()
    assert [".", *found] == sorted(recorded)


@pytest.mark.root
@needs_root
@pytest.mark.parametrize("name", ["split", "excl"])
@pytest.mark.parametrize("as_stream", [False, True])
def test_archives_of_the_pxar_program(name: str, as_stream: bool, fixtures_423: Path, tmp_path: Path) -> None:
    directory = fixtures_423 / "pxar"
    payload = directory / f"{name}.ppxar"
    prelude = tmp_path / "prelude"
    with (directory / f"{name}.mpxar").open("rb") as file:
        archive = file.fileno() if as_stream else Path(file.name)
        _core.extract_pxar(archive, tmp_path / "tree", payload_path=payload, prelude_path=prelude)
    assert tree_snapshot(tmp_path / "tree") == recorded_tree(directory / f"{name}.extracted.json")
    if name == "excl":
        assert prelude.read_bytes() == (directory / "excl.prelude").read_bytes()
    else:
        assert not prelude.exists()


def test_split_archives_need_their_payload(fixtures_423: Path, tmp_path: Path) -> None:
    directory = fixtures_423 / "pxar"
    target = tmp_path / "target"
    with pytest.raises(PbstoreError, match="the metadata of a split archive"):
        _core.extract_pxar(directory / "split.mpxar", target)
    with pytest.raises(FormatError, match="834c68c2194a4ed2: this is the payload"):
        list(_core.list_pxar(directory / "split.ppxar"))
    with pytest.raises(FormatError, match="damaged payload stream at byte"):
        _core.extract_pxar(
            directory / "split.mpxar", target, payload_path=directory / "excl.ppxar", without=["ownership"]
        )
    with pytest.raises(PbstoreError, match="not a split one"):
        _core.extract_pxar(directory / "v1.pxar", target, payload_path=directory / "split.ppxar")
