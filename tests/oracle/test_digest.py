"""Digests against the values of blobs-and-chunks.md 2, 4 and 6."""

import pytest

from oracle.digest import FINGERPRINT_INPUT, chunk_digest, fingerprint_text, id_key

KEY = bytes(range(32))


def test_names_of_a_key() -> None:
    assert FINGERPRINT_INPUT.hex() == "6ed0ef77471fff4d55c7a8fe4a9db62161407f134c725ddf30992d25ec45ed26"
    assert id_key(KEY).hex() == "7c2c013efd07f3b25717a485263343cd4d292a4b65c200bb3b18ea227abe225c"
    assert fingerprint_text(KEY).startswith("0e:ab:d4:46:0b:6e:b9:ca:34:50:23:de:e2:b7:78:c7:")
    assert fingerprint_text(KEY).endswith(":90:e5:4a:16:83:b9:65:9c:0a:57:ae:19:90:90:15:9b")


@pytest.mark.parametrize(
    ("data", "key", "digest"),
    [
        (b"hello world", None, "b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9"),
        (b"hello world", KEY, "29d6770e718a93cf4a7663ddc167cf40c128b67cc20d36bd49adec140981f9d5"),
        (bytes(4 << 20), None, "bb9f8df61474d25e71fa00722318cd387396ca1736605e1248821cc0de3d3af8"),
        (bytes(4 << 20), KEY, "348571e12bbbedb529def1f1394316e338a01945d871df9ef792617ceb13d636"),
    ],
)
def test_digests_of_chunks(data: bytes, key: bytes | None, digest: str) -> None:
    assert chunk_digest(data, key).hex() == digest
