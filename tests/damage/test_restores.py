"""Restores from a damaged store: every damage is an error that names file and place, and nothing wrong is kept."""

import re
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from damage.stored import Stored, damaged, flipped
from oracle import blob as twin
from oracle.digest import chunk_digest
from pbstore import _core
from pbstore.format.key_file import KeyFile

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]
NAMES = ["plain", "sealed"]


def with_right_crc(blob: bytes, at: int) -> bytes:
    """A bit of the payload is wrong, under a CRC that was computed afterwards."""
    changed = flipped(blob, at)
    payload = changed[twin.header_length(twin.kind_of(blob)) :]
    return changed[:8] + zlib.crc32(payload).to_bytes(4, "little") + changed[12:]


CHUNK_DAMAGES: dict[str, tuple[Callable[[bytes], bytes | None], str]] = {
    "missing": (lambda _: None, "No such file or directory"),
    "empty": (lambda _: b"", "only 0 bytes"),
    "cut in the header": (lambda blob: blob[:11], "only 11 bytes"),
    "cut behind the header": (lambda blob: blob[: twin.header_length(twin.kind_of(blob))], "wrong CRC-32"),
    "without its last byte": (lambda blob: blob[:-1], "wrong CRC-32"),
    "with a byte more": (lambda blob: blob + b"\0", "wrong CRC-32"),
    "magic": (lambda blob: flipped(blob, 0), "unknown magic"),
    "CRC": (lambda blob: flipped(blob, 8), "wrong CRC-32"),
    "payload": (lambda blob: flipped(blob, -1), "wrong CRC-32"),
}


@pytest.mark.parametrize("damage", CHUNK_DAMAGES)
@pytest.mark.parametrize("number", [0, 1])
@pytest.mark.parametrize("name", NAMES)
def test_chunks_of_an_image(stored: Stored, target: Path, name: str, number: int, damage: str) -> None:
    change, said = CHUNK_DAMAGES[damage]
    chunk = stored.chunk(name, "disk.img.fidx", number)
    with damaged(chunk, change(chunk.read_bytes())):
        line = stored.check_refused(name, "disk.img", target)
    assert re.match(rf"disk\.img: chunk {number} \({chunk.name}\): .*{said}", line), line


@pytest.mark.parametrize("damage", CHUNK_DAMAGES)
@pytest.mark.parametrize("name", NAMES)
def test_chunks_of_a_tree(stored: Stored, target: Path, name: str, damage: str) -> None:
    change, said = CHUNK_DAMAGES[damage]
    chunk = stored.chunk(name, "tree.pxar.didx", 0)
    with damaged(chunk, change(chunk.read_bytes())):
        line = stored.check_refused(name, "tree.pxar", target)
    assert re.match(rf"tree\.pxar: chunk 0 \({chunk.name}\): .*{said}", line), line


@pytest.mark.parametrize("place", range(12, 44, 5))
def test_seal_of_a_chunk(stored: Stored, target: Path, place: int) -> None:
    """IV and tag, which no CRC covers."""
    chunk = stored.chunk("sealed", "disk.img.fidx", 0)
    with damaged(chunk, flipped(chunk.read_bytes(), place)):
        line = stored.check_refused("sealed", "disk.img", target)
    assert re.match(rf"disk\.img: chunk 0 \({chunk.name}\): cannot decrypt blob", line), line


@pytest.mark.parametrize("number", [0, 1])
@pytest.mark.parametrize("name", NAMES)
def test_a_payload_under_a_right_crc(stored: Stored, target: Path, name: str, number: int) -> None:
    chunk = stored.chunk(name, "disk.img.fidx", number)
    with damaged(chunk, with_right_crc(chunk.read_bytes(), -2)):
        line = stored.check_refused(name, "disk.img", target)
    said = "cannot decrypt" if name == "sealed" else "damaged zstd data|wrong digest"
    assert re.match(rf"disk\.img: chunk {number} \({chunk.name}\): ({said})", line), line


@pytest.mark.parametrize("name", NAMES)
def test_another_whole_chunk_in_its_place(stored: Stored, target: Path, name: str) -> None:
    """Of the same length, of another length, and from a backup of the other mode."""
    chunk = stored.chunk(name, "disk.img.fidx", 0)
    other = NAMES[1 - NAMES.index(name)]
    for replacement, said in (
        (stored.chunk(name, "disk.img.fidx", 1), "wrong digest"),
        (stored.chunk(name, "tree.pxar.didx", 0), "wrong length"),
        (stored.chunk(other, "disk.img.fidx", 0), "encrypted"),
    ):
        with damaged(chunk, replacement.read_bytes()):
            line = stored.check_refused(name, "disk.img", target)
        assert re.match(rf"disk\.img: chunk 0 \({chunk.name}\): .*{said}", line), line


def test_the_same_data_in_plain_does_not_stand_for_a_sealed_chunk(stored: Stored, target: Path) -> None:
    chunk = stored.chunk("sealed", "disk.img.fidx", 0)
    key = KeyFile.load(stored.key_path).open(lambda: "")
    data = _core.open_blob(chunk.read_bytes(), key=_core.CryptKey(key))
    assert chunk_digest(data, key).hex() == chunk.name
    with damaged(chunk, _core.seal_blob(data)):
        assert "encrypted" in stored.check_refused("sealed", "disk.img", target)


INDEX_DAMAGES: dict[str, tuple[Callable[[bytes], bytes | None], str]] = {
    "missing": (lambda _: None, "No such file or directory"),
    "empty": (lambda _: b"", "{}: no .* index: only 0 bytes"),
    "cut in the header": (lambda data: data[:4095], "{}: no .* index: only 4095 bytes"),
    "without entries": (lambda data: data[:4096], "{}: .*wrong length|wrong size for file '{}'"),
    "without its last byte": (lambda data: data[:-1], "{}: .* wrong length"),
    "with a byte more": (lambda data: data + b"\0", "{}: .* wrong length"),
    "magic": (lambda data: flipped(data, 0), "{}: no .* index: wrong magic"),
    "a digest": (lambda data: flipped(data, -1), "wrong checksum for file '{}'"),
    "the first entry": (lambda data: flipped(data, 4096), "wrong (checksum|size) for file '{}'|{}: .*impossible chunk"),
}


@pytest.mark.parametrize("damage", INDEX_DAMAGES)
@pytest.mark.parametrize("file", ["disk.img.fidx", "tree.pxar.didx"])
@pytest.mark.parametrize("name", NAMES)
def test_indexes(stored: Stored, target: Path, name: str, file: str, damage: str) -> None:
    change, said = INDEX_DAMAGES[damage]
    path = stored.directory(name) / file
    with damaged(path, change(path.read_bytes())):
        line = stored.check_refused(name, file.rpartition(".")[0], target)
    assert re.search(said.replace("{}", re.escape(file)), line), line
    assert file in line


@pytest.mark.parametrize("file", ["disk.img.fidx", "tree.pxar.didx"])
def test_indexes_that_belong_to_others(stored: Stored, target: Path, file: str) -> None:
    path, other = stored.directory("plain") / file, stored.directory("sealed") / file
    with damaged(path, other.read_bytes()):
        line = stored.check_refused("plain", file.rpartition(".")[0], target)
    assert line == f"wrong checksum for file '{file}'"


@pytest.mark.parametrize(("start", "end"), [(8, 24), (24, 32), (32, 64), (80, 4096)])
@pytest.mark.parametrize("file", ["disk.img.fidx", "tree.pxar.didx"])
def test_what_no_restore_needs_of_an_index(stored: Stored, target: Path, file: str, start: int, end: int) -> None:
    """Its identity, time, the checksum that is not believed, and the unused rest: the data comes back all the same."""
    path = stored.directory("plain") / file
    data = path.read_bytes()
    with damaged(path, data[:start] + b"\xa5" * (end - start) + data[end:]):
        stored.check_restored("plain", file.rpartition(".")[0], target)


BLOB_DAMAGES: dict[str, tuple[Callable[[bytes], bytes | None], str]] = {
    "missing": (lambda _: None, "no file '{}' in this snapshot"),
    "empty": (lambda _: b"", "wrong size for file '{}'"),
    "without its last byte": (lambda blob: blob[:-1], "wrong size for file '{}'"),
    "with a byte more": (lambda blob: blob + b"\0", "wrong size for file '{}'"),
    "magic": (lambda blob: flipped(blob, 0), "wrong checksum for file '{}'"),
    "CRC": (lambda blob: flipped(blob, 8), "wrong checksum for file '{}'"),
    "payload": (lambda blob: flipped(blob, -1), "wrong checksum for file '{}'"),
    "payload and CRC": (lambda blob: with_right_crc(blob, -1), "wrong checksum for file '{}'"),
}


@pytest.mark.parametrize("damage", BLOB_DAMAGES)
@pytest.mark.parametrize("name", NAMES)
def test_blobs(stored: Stored, target: Path, name: str, damage: str) -> None:
    change, said = BLOB_DAMAGES[damage]
    path = stored.directory(name) / "note.conf.blob"
    with damaged(path, change(path.read_bytes())):
        line = stored.check_refused(name, "note.conf", target)
    assert re.search(said.format(path.name), line), line
    assert path.name in line


def edited(blob: bytes, old: bytes, new: bytes) -> bytes:
    """A manifest with another text, under a right CRC."""
    text = _core.open_blob(blob)
    assert old in text
    return _core.seal_blob(text.replace(old, new))


MANIFEST_DAMAGES: dict[str, tuple[Callable[[bytes], bytes | None], str, str]] = {
    "empty": (lambda _: b"", "index.json.blob: no data blob", ""),
    "without its last byte": (lambda blob: blob[:-1], "index.json.blob: blob has wrong CRC-32", ""),
    "with a byte more": (lambda blob: blob + b"\0", "index.json.blob: blob has wrong CRC-32", ""),
    "magic": (lambda blob: flipped(blob, 0), "index.json.blob: no data blob: unknown magic", ""),
    "CRC": (lambda blob: flipped(blob, 8), "index.json.blob: blob has wrong CRC-32", ""),
    "payload": (lambda blob: flipped(blob, -1), "index.json.blob: blob has wrong CRC-32", ""),
    "no JSON": (lambda _: _core.seal_blob(b"{"), "index.json.blob: manifest is no valid JSON", ""),
    "a size": (lambda blob: edited(blob, b'"size": 8', b'"size": 9'), "wrong size for file", "wrong signature"),
    "a name": (lambda blob: edited(blob, b"disk.img", b"dusk.img"), "does not contain file", "wrong signature"),
    "the group": (lambda blob: edited(blob, b'"host"', b'"vm"'), "sent the manifest of vm/", "wrong signature"),
}


@pytest.mark.parametrize("damage", MANIFEST_DAMAGES)
@pytest.mark.parametrize("name", NAMES)
def test_manifests(stored: Stored, target: Path, name: str, damage: str) -> None:
    change, said_of_plain, said_of_signed = MANIFEST_DAMAGES[damage]
    said = said_of_signed if name == "sealed" and said_of_signed else said_of_plain
    path = stored.directory(name) / "index.json.blob"
    with damaged(path, change(path.read_bytes())):
        line = stored.check_refused(name, "disk.img", target)
    assert said in line, line


@pytest.mark.parametrize("name", NAMES)
def test_the_manifest_of_another_snapshot(stored: Stored, target: Path, name: str) -> None:
    other = NAMES[1 - NAMES.index(name)]
    path = stored.directory(name) / "index.json.blob"
    with damaged(path, (stored.directory(other) / "index.json.blob").read_bytes()):
        line = stored.check_refused(name, "disk.img", target)
    assert re.search("sent the manifest of host/|missing key|wrong signature", line), line


def test_an_unsigned_manifest_is_no_match_for_a_demand(stored: Stored, target: Path) -> None:
    """A stripped signature is only noticed by who insists on one, since backups without key have none."""
    path = stored.directory("sealed") / "index.json.blob"
    text = _core.open_blob(path.read_bytes())
    stripped = re.sub(rb'"signature": "[0-9a-f]{64}"', b'"signature": null', text)
    with damaged(path, _core.seal_blob(stripped)):
        words = ["restore", stored.snapshots["sealed"], "disk.img", target, *stored.key_words("sealed")]
        line = stored.site.error(*words, "--crypt-mode", "encrypt")
        assert "is not signed" in line
        assert not target.exists()
        stored.check_restored("sealed", "disk.img", target)


def test_catalogs(stored: Stored, target: Path) -> None:
    chunk = stored.chunk("plain", "catalog.pcat1.didx", 0)
    with damaged(chunk, flipped(chunk.read_bytes(), -1)):
        line = stored.check_refused("plain", "catalog.pcat1", target)
    assert re.match(rf"catalog\.pcat1: chunk 0 \({chunk.name}\): blob has wrong CRC-32", line), line


def test_the_key_file(stored: Stored, target: Path) -> None:
    text = stored.key_path.read_bytes()
    for content in (b"", text[:-1], flipped(text, text.index(b'"data":"') + 10)):
        with damaged(stored.key_path, content):
            line = stored.check_refused("sealed", "disk.img", target)
        assert line.startswith(f"{stored.key_path}: "), line


def test_everything_is_whole_again(stored: Stored, tmp_path: Path) -> None:
    """No damage above was done to a copy that nobody reads."""
    for name in NAMES:
        for archive in ("disk.img", "tree.pxar", "note.conf"):
            stored.check_restored(name, archive, tmp_path / f"{name}-{archive}")
