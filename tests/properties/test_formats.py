"""Blobs, indexes, chunks and manifests: what goes in comes out, and any bytes give a value or a FormatError."""

import contextlib
import hashlib
import json
from itertools import accumulate
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pbstore import _core
from pbstore.errors import EncryptionKeyError, FormatError, IntegrityError
from pbstore.format.canonical_json import canonical_json
from pbstore.format.key_file import KeyFile
from pbstore.format.manifest import Manifest
from pbstore.model.backup import BackupGroup, BackupType, Snapshot
from pbstore.model.crypt_mode import CryptMode

KEY = _core.CryptKey(bytes(range(32)))
MAGICS = ("42ab3807be8370a1", "31b958426fb6a37f", "7b6785be222d4cf0", "e6591bbf0bbfd80b")
digests = st.binary(min_size=32, max_size=32)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(data=st.binary(max_size=4000), repeats=st.integers(1, 20), encrypt=st.booleans(), compress=st.booleans())
def test_blobs_come_back(data: bytes, repeats: int, encrypt: bool, compress: bool) -> None:
    key, data = KEY if encrypt else None, data * repeats
    blob = _core.seal_blob(data, key=key, compress=compress)
    assert _core.open_blob(blob, key=key, max_bytes=len(data)) == data
    assert _core.blob_kind(blob).startswith("encrypted") == encrypt
    assert len(blob) <= len(data) + (44 if encrypt else 12)


@given(magic=st.sampled_from(MAGICS), body=st.binary(max_size=300))
def test_any_bytes_open_or_are_refused(magic: str, body: bytes) -> None:
    for blob in (body, bytes.fromhex(magic) + body):
        with contextlib.suppress(FormatError, IntegrityError):
            assert len(_core.open_blob(blob, key=KEY, max_bytes=1000)) <= 1000


@given(data=st.binary(min_size=1, max_size=200), position=st.integers(0), bit=st.integers(0, 7))
def test_no_flipped_bit_goes_unnoticed_under_a_key(data: bytes, position: int, bit: int) -> None:
    blob = bytearray(_core.seal_blob(data, key=KEY))
    blob[position % len(blob)] ^= 1 << bit
    with pytest.raises((FormatError, IntegrityError)):
        assert _core.open_blob(bytes(blob), key=KEY) != data


@given(data=st.binary(max_size=3000), average=st.sampled_from([64, 256, 1024]), piece=st.integers(1, 700))
def test_chunks_are_the_stream_whatever_its_pieces(data: bytes, average: int, piece: int) -> None:
    ends = _core.chunk_ends(data, average)
    assert ends == sorted(set(ends))
    assert (ends[-1] if ends else 0) == len(data)
    chunker, found, at = _core.Chunker(average), [], 0
    while at < len(data):
        border = chunker.scan(data[at : at + piece])
        at = min(len(data), at + piece) if border is None else at + border
        if border is not None:
            found.append(at)
    assert found == ends or [*found, len(data)] == ends


@given(
    lengths=st.lists(st.integers(1, 1 << 24), max_size=30), digest=digests, ctime=st.integers(-(1 << 63), (1 << 63) - 1)
)
def test_dynamic_indexes_come_back(lengths: list[int], digest: bytes, ctime: int) -> None:
    entries = [(end, digest) for end in accumulate(lengths)]
    index = _core.DynamicIndex.parse(_core.DynamicIndex.encode(entries, uuid=bytes(16), ctime=ctime))
    assert [(index.chunk_end(number), index.digest(number)) for number in range(len(index))] == entries
    table = b"".join(end.to_bytes(8, "little") + digest for end, digest in entries)
    assert (index.size, index.ctime, index.csum) == (sum(lengths), ctime, hashlib.sha256(table).digest())


@given(chunks=st.lists(digests, min_size=1, max_size=20), missing=st.integers(0, 4095))
def test_fixed_indexes_come_back(chunks: list[bytes], missing: int) -> None:
    size = len(chunks) * 4096 - missing
    index = _core.FixedIndex.parse(_core.FixedIndex.encode(chunks, size, uuid=bytes(16), ctime=1, chunk_size=4096))
    assert [index.digest(number) for number in range(len(index))] == chunks
    assert (index.size, index.chunk_end(len(index) - 1), index.find(size)) == (size, size, None)
    assert index.csum == hashlib.sha256(b"".join(chunks)).digest()


@given(
    backup_time=st.integers(1, 253402300799),
    files=st.dictionaries(st.from_regex(r"[a-z]{1,8}\.(blob|fidx|didx)", fullmatch=True), st.integers(0, 1 << 63)),
    unprotected=st.dictionaries(
        st.text(max_size=8).filter(lambda key: key != "key-fingerprint"), json_values, max_size=3
    ),
)
def test_manifests_come_back(backup_time: int, files: dict[str, int], unprotected: dict[str, Any]) -> None:
    manifest = Manifest(Snapshot(BackupGroup(BackupType.VM, "100"), backup_time))
    for name, size in files.items():
        manifest.add(name, CryptMode.ENCRYPT, size, hashlib.sha256(name.encode()).digest())
    manifest.unprotected |= unprotected
    text = manifest.encode(KEY)
    again = Manifest.parse(text)
    again.check_signature(KEY)
    assert (again.encode(), again.files) == (text, manifest.files)


@given(value=json_values)
def test_any_json_is_a_manifest_or_refused(value: object) -> None:
    for candidate in (value, {"backup-type": "vm", "backup-id": "1", "backup-time": 5, "files": value}):
        with contextlib.suppress(FormatError):
            Manifest.parse(json.dumps(candidate).encode())
        with contextlib.suppress(EncryptionKeyError):
            KeyFile.parse(json.dumps(candidate).encode())


@given(value=json_values)
def test_canonical_json_means_the_same(value: object) -> None:
    try:
        assert json.loads(canonical_json(value)) == value
    except FormatError:
        assert "null" in json.dumps(value)
