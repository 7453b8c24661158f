"""Every file of every snapshot of both releases, read to its end: manifests, blobs, indexes, chunks, archives."""

import hashlib
import json
import lzma
from pathlib import Path

from oracle import dynamic_index, fixed_index
from oracle.pxar_decoder import Archive, decode
from oracle.pxar_node import Node, walk
from pbstore import _core
from pbstore.format.manifest import MANIFEST_FILE_NAME
from reference.original_store import OriginalStore, parse_index

NOT_IN_MANIFESTS = {MANIFEST_FILE_NAME, "client.log.blob", ".protected"}
AVERAGES = {".pcat1": 512 << 10, ".pxar": 4 << 20, ".mpxar": 4 << 20}


def test_every_file_is_what_its_manifest_says(original_store: OriginalStore) -> None:
    snapshots = original_store.snapshots()
    assert len(snapshots) >= 10
    for snapshot in snapshots:
        manifest = original_store.manifest(snapshot)
        listed = {entry.filename for entry in manifest.files}
        assert {path.name for path in snapshot.iterdir()} - NOT_IN_MANIFESTS == listed
        for entry in manifest.files:
            path = snapshot / entry.filename
            if path.suffix == ".blob":
                data = path.read_bytes()
                manifest.verify_file(entry.filename, len(data), hashlib.sha256(data).digest())
                # The sealed key is listed with the mode of the backup although it is plain (manifest.md 1.1).
                is_sealed_key = entry.filename == "rsa-encrypted.key.blob"
                _core.open_blob(data, key=None if is_sealed_key else original_store.key_of(path))
                assert not is_sealed_key or _core.blob_kind(data) == "plain"
            else:
                index = parse_index(path)
                manifest.verify_file(entry.filename, index.size, index.csum)
                assert sum(map(len, original_store.chunks(path))) == index.size


def test_logs_open(original_store: OriginalStore) -> None:
    """They are in no manifest; the mode is that of the backup."""
    logs = original_store.files("client.log.blob")
    kinds = {_core.blob_kind(path.read_bytes()) for path in logs}
    assert len(logs) >= 2
    assert len({kind.startswith("encrypted") for kind in kinds}) == 2
    for path in logs:
        blob = path.read_bytes()
        key = original_store.key if _core.blob_kind(blob).startswith("encrypted") else None
        assert b"\n" in _core.open_blob(blob, key=key)


def test_indexes_are_written_as_they_were(original_store: OriginalStore) -> None:
    """By us and by the twin, byte for byte."""
    for path in original_store.files("*.[fd]idx"):
        data = path.read_bytes()
        if path.suffix == ".fidx":
            fixed = fixed_index.decode(data)
            facts = {"uuid": fixed.uuid, "ctime": fixed.ctime, "chunk_size": fixed.chunk_size}
            assert _core.FixedIndex.encode(list(fixed.digests), fixed.size, **facts) == data  # type: ignore[arg-type]
            assert fixed_index.encode(fixed) == data
        else:
            dynamic = dynamic_index.decode(data)
            made = _core.DynamicIndex.encode(list(dynamic.entries), uuid=dynamic.uuid, ctime=dynamic.ctime)
            assert made == dynamic_index.encode(dynamic) == data


def test_chunk_lists_of_423(store_423: OriginalStore, fixtures_423: Path) -> None:
    reports = sorted((fixtures_423 / "chunks").glob("*.json"))
    assert len(reports) == len(store_423.files("*.[fd]idx"))
    for report in reports:
        expected = json.loads(report.read_text())
        index = parse_index(store_423.path / expected["file"])
        start, found = 0, []
        for number in range(len(index)):
            found.append((start, index.chunk_end(number), index.digest(number).hex()))
            start = index.chunk_end(number)
        assert found == [(chunk["start"], chunk["end"], chunk["digest"]) for chunk in expected["chunks"]]
        assert (index.uuid.hex(), index.ctime) == (expected["uuid"], expected["ctime"])
        assert index.csum.hex() == expected["index_csum"]


def test_streams_are_cut_as_the_original_cut_them(original_store: OriginalStore) -> None:
    """All but payload streams, where borders depend on how fast data came (chunker.md 6)."""
    compared = 0
    for path in original_store.files("*.didx"):
        average = AVERAGES.get(Path(path.stem).suffix)
        if average is not None:
            index = parse_index(path)
            ends = [index.chunk_end(number) for number in range(len(index))]
            assert _core.chunk_ends(original_store.read(path), average) == ends
            compared += 1
    assert compared >= 10


def test_images_have_the_digests_of_their_chunks(original_store: OriginalStore) -> None:
    for path in original_store.files("*.fidx"):
        index, image = parse_index(path), original_store.read(path)
        assert isinstance(index, _core.FixedIndex)
        key = original_store.key_of(path)
        starts = range(0, len(image), index.chunk_size)
        digests = [_core.chunk_digest(image[start : start + index.chunk_size], key) for start in starts]
        assert digests == [index.digest(number) for number in range(len(index))]


def test_every_archive_is_read_to_its_end(original_store: OriginalStore, tmp_path: Path) -> None:
    """By us from the front, and by the twin, which also checks the tables of all directories."""
    paths = [path for path in original_store.files("*.didx") if path.name.endswith((".pxar.didx", ".mpxar.didx"))]
    assert len(paths) >= 8
    for path in paths:
        archive = original_store.read(path)
        payload = None
        if path.name.endswith(".mpxar.didx"):
            payload = original_store.read(path.with_name(path.name.replace(".mpxar.", ".ppxar.")))
        decoded = decode(Archive(archive, payload))
        copy = tmp_path / "archive"
        copy.write_bytes(archive)
        listing = _core.list_pxar(copy)
        found = [(entry.path, entry.kind, entry.size) for entry in listing]
        assert found == [
            (name, node.letter, len(node.content) if isinstance(node, Node) else 0) for name, node in walk(decoded.root)
        ]
        assert listing.prelude == decoded.prelude


def test_split_archives_of_423_are_those_that_were_taken_out(store_423: OriginalStore, fixtures_423: Path) -> None:
    """`recover index` put both streams of nine archives together; their bytes and sums are recorded."""
    lines = (fixtures_423 / "items" / "SHA256SUMS-and-sizes").read_text().splitlines()
    sums = {name: digest for digest, name in (line.split() for line in lines) if len(digest) == 64}
    assert len(sums) == 18
    for name, digest in sums.items():
        group, generation, archive = name.split("-", 2)
        day = generation.removeprefix("g")
        stream = store_423.read(store_423.path / "host" / group / f"2026-06-0{day}T08:00:00Z" / f"{archive}.didx")
        assert hashlib.sha256(stream).hexdigest() == digest
        packed = fixtures_423 / "items" / f"{name}.xz"
        if packed.exists():
            assert lzma.decompress(packed.read_bytes()) == stream
