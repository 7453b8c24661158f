"""Blobs and digests: the twin opens what we seal and makes the same bytes, we open what the twin seals."""

from itertools import pairwise

import zstandard
from hypothesis import given
from hypothesis import strategies as st

from oracle import blob as twin
from oracle import digest
from pbstore import _core
from properties.streams import streams

keys = st.binary(min_size=32, max_size=32)
ivs = st.binary(min_size=16, max_size=16)
kinds = st.sampled_from(list(twin.MAGICS))


@given(streams, st.none() | keys, st.booleans())
def test_the_twin_opens_and_makes_what_we_seal(data: bytes, key: bytes | None, compress: bool) -> None:
    blob = _core.seal_blob(data, key=None if key is None else _core.CryptKey(key), compress=compress)
    kind = twin.kind_of(blob)
    assert kind == _core.blob_kind(blob)
    assert kind.startswith("encrypted") == (key is not None)
    assert twin.open_blob(blob, key or b"") == data
    payload = twin.payload_of(blob, key or b"")
    assert twin.seal(kind, data, key=key or b"", iv=blob[12:28], frame=payload) == blob
    # Frames of two releases of zstd may differ a little, so only clear cases are judged.
    squeezed = len(zstandard.ZstdCompressor(level=1).compress(data))
    if not compress or squeezed > len(data) + 64:
        assert not kind.endswith("compressed")
    elif squeezed + 64 < len(data):
        assert kind.endswith("compressed")
    assert len(payload) <= len(data)


@given(kinds, streams, keys, ivs, st.lists(st.integers(0, 20_000), max_size=3), st.booleans(), st.booleans())
def test_we_open_what_the_twin_seals(
    kind: str, data: bytes, key: bytes, iv: bytes, cuts: list[int], with_size: bool, with_checksum: bool
) -> None:
    """Whatever frames a payload has: one or several, with or without size of the content and checksum."""
    compressor = zstandard.ZstdCompressor(level=1, write_content_size=with_size, write_checksum=with_checksum)
    edges = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    frames = [compressor.compress(data[start:end]) for start, end in pairwise(edges)]
    blob = twin.seal(kind, data, key=key, iv=iv, frame=b"".join(frames))
    used = _core.CryptKey(key) if kind.startswith("encrypted") else None
    assert _core.open_blob(blob, key=used) == data
    assert _core.open_blob(blob, key=used, max_bytes=len(data)) == data
    assert _core.blob_kind(blob) == kind
    _core.check_blob_crc(blob)


@given(streams, keys)
def test_digests_and_tags_are_the_twins(data: bytes, key: bytes) -> None:
    ours = _core.CryptKey(key)
    assert _core.chunk_digest(data) == digest.chunk_digest(data)
    assert _core.chunk_digest(data, ours) == digest.chunk_digest(data, key)
    assert ours.fingerprint == digest.fingerprint(key)
    assert ours.auth_tag(data) == digest.auth_tag(key, data)
