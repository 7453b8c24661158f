"""The examples in docs/formats are parsed, so that the pages cannot say what the code does not do."""

import hashlib
import json
import re
from pathlib import Path

from pbstore import _core
from pbstore.format.canonical_json import canonical_json
from pbstore.format.key_file import KeyFile

PAGES = Path(__file__).parents[3] / "docs" / "formats"
KEY = bytes(range(32))


def example(page: str, label: str) -> str:
    match = re.search(rf"^```{label}\n(.*?)^```$", (PAGES / page).read_text(), re.MULTILINE | re.DOTALL)
    assert match is not None, f"{page} has no example {label!r}"
    return match[1]


def hex_example(page: str, label: str) -> bytes:
    return bytes.fromhex(example(page, f"hex {label}"))


def test_blob() -> None:
    plain = hex_example("blob.md", "plain")
    assert _core.seal_blob(b"hello world") == plain
    assert _core.open_blob(plain) == b"hello world"
    encrypted = hex_example("blob.md", "encrypted")
    assert _core.blob_kind(encrypted) == "encrypted"
    assert _core.open_blob(encrypted, key=_core.CryptKey(KEY)) == b"hello world"


def test_fixed_index() -> None:
    head, table = hex_example("fixed-index.md", "head"), hex_example("fixed-index.md", "table")
    index = _core.FixedIndex.parse(head.ljust(4096, b"\0") + table)
    assert (index.size, index.csum) == (9 * 1024 * 1024, head[32:64])
    assert index.digest(2) == hashlib.sha256(bytes(1024 * 1024)).digest()


def test_dynamic_index() -> None:
    head, table = hex_example("dynamic-index.md", "head"), hex_example("dynamic-index.md", "table")
    index = _core.DynamicIndex.parse(head.ljust(4096, b"\0") + table)
    assert (index.size, index.csum, index.chunk_end(0)) == (11, head[32:64], 5)
    assert index.digest(1) == hashlib.sha256(b" world").digest()


def test_chunker() -> None:
    numbers = (number.to_bytes(8, "little") for number in range(1024 * 1024 // 32))
    stream = b"".join(hashlib.sha256(b"pbs-chunker-vector" + number).digest() for number in numbers)
    assert _core.chunk_ends(stream, 64 * 1024) == [int(end) for end in example("chunker.md", "ends").split()]
    files = [20_000, 30_000, 35_000, 100_000, 110_000, 400_000, 700_000, 700_016]
    expected = [int(end) for end in example("chunker.md", "payload-ends").split()]
    assert _core.payload_chunk_ends(stream, files, average=64 * 1024) == expected


def test_manifest() -> None:
    signed = example("manifest.md", "json signed").rstrip("\n").encode()
    assert canonical_json(json.loads(signed)) == signed
    assert _core.CryptKey(KEY).auth_tag(signed) == hex_example("manifest.md", "signature")


def test_key_file() -> None:
    plain = KeyFile.parse(example("key-file.md", "json plain").encode())
    protected = KeyFile.parse(example("key-file.md", "json protected").encode())
    assert plain.open(lambda: "") == protected.open(lambda: "secret pass") == KEY
    assert str(plain.fingerprint) in example("key-file.md", "json plain")
