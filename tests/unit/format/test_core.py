"""The binding of the codecs: which exceptions it raises, what it shows, and the self test."""

import pytest

from pbstore import _core
from pbstore.errors import EncryptionKeyError, FormatError, IntegrityError

KEY = _core.CryptKey(bytes(range(32)))


def test_this_build_passes_its_self_test() -> None:
    _core.self_test()


def test_a_key_shows_nothing_but_its_fingerprint() -> None:
    assert repr(KEY) == "CryptKey(...)"
    assert KEY.fingerprint.hex().startswith("0eabd4460b6eb9ca")


@pytest.mark.parametrize("length", [0, 16, 31, 33, 64])
def test_keys_of_another_length_are_refused(length: int) -> None:
    with pytest.raises(EncryptionKeyError, match=f"not {length}"):
        _core.CryptKey(bytes(length))


def test_each_failure_has_its_exception() -> None:
    blob = _core.seal_blob(b"data" * 100, key=KEY)
    with pytest.raises(FormatError, match="magic"):
        _core.open_blob(b"x" * 100)
    with pytest.raises(FormatError, match="larger than 399"):
        _core.open_blob(blob, key=KEY, max_bytes=399)
    with pytest.raises(EncryptionKeyError, match="missing key"):
        _core.open_blob(blob)
    with pytest.raises(IntegrityError, match="damaged or was encrypted with another key"):
        _core.open_blob(blob, key=_core.CryptKey(bytes(32)))
    with pytest.raises(IntegrityError, match="CRC-32"):
        _core.check_blob_crc(blob[:-1])
    with pytest.raises(FormatError, match="average"):
        _core.chunk_ends(b"", 1000)
    with pytest.raises(FormatError, match="average"):
        _core.Chunker(1000)


def test_buffers_that_are_not_bytes() -> None:
    assert _core.open_blob(bytearray(_core.seal_blob(bytearray(b"data")))) == b"data"  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        _core.seal_blob("text")  # type: ignore[arg-type]


def test_an_index_has_no_chunk_past_its_last() -> None:
    fixed = _core.FixedIndex.parse(_core.FixedIndex.encode([bytes(32)], 5, uuid=bytes(16), ctime=1))
    dynamic = _core.DynamicIndex.parse(_core.DynamicIndex.encode([(5, bytes(32))], uuid=bytes(16), ctime=1))
    for index in (fixed, dynamic):
        assert (len(index), index.chunk_end(0), index.find(4), index.find(5)) == (1, 5, 0, None)
        with pytest.raises(IndexError):
            index.digest(1)
        with pytest.raises(IndexError):
            index.chunk_end(1)
    with pytest.raises(FormatError, match="no dynamic index"):
        _core.DynamicIndex.parse(bytes(5000))
    with pytest.raises(FormatError, match="wrong length"):
        _core.FixedIndex.encode([bytes(32)], 5 << 30, uuid=bytes(16), ctime=1)
