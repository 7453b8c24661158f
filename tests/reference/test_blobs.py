"""Blobs and chunks that the original programs wrote."""

import base64
import json
from pathlib import Path

import pytest

from pbstore import _core
from pbstore.errors import EncryptionKeyError, IntegrityError
from reference.original_store import OriginalStore


def check_chunks(store: OriginalStore) -> set[str]:
    """Open every chunk and compare its digest with its name; the kinds that were met."""
    kinds = set()
    for path in sorted(store.path.glob(".chunks/*/*")):
        blob = path.read_bytes()
        kind = _core.blob_kind(blob)
        used = store.key if kind.startswith("encrypted") else None
        assert _core.chunk_digest(_core.open_blob(blob, key=used), used).hex() == path.name
        assert path.parent.name == path.name[:4]
        kinds.add(kind)
    return kinds


def test_every_chunk(store_323: OriginalStore, store_423: OriginalStore) -> None:
    assert check_chunks(store_323) == {"plain", "compressed", "encrypted-compressed"}
    assert check_chunks(store_423) >= {"compressed", "encrypted-compressed"}


@pytest.mark.parametrize("release", ["323", "423"])
def test_every_blob_as_the_original_inspects_it(release: str, request: pytest.FixtureRequest) -> None:
    store: OriginalStore = request.getfixturevalue(f"store_{release}")
    fixtures: Path = request.getfixturevalue(f"fixtures_{release}")
    compared = 0
    for path in sorted(store.path.rglob("*.blob")):
        name = str(path.relative_to(store.path)).replace("/", "_").replace(":", "_")
        report = fixtures / "inspect" / f"{name}.json"
        blob = path.read_bytes()
        is_encrypted = _core.blob_kind(blob).startswith("encrypted")
        _core.open_blob(blob, key=store.key if is_encrypted else None)
        if report.exists():
            expected = json.loads(report.read_text())
            assert expected == {"encryption": "encrypt" if is_encrypted else "none", "size": len(blob)}
            compared += 1
    assert compared >= 10


def test_sealed_key_blob_holds_the_sealed_key(fixtures_323: Path) -> None:
    keys = fixtures_323 / "keys"
    blob = (keys / "rsa-encrypted.key.blob").read_bytes()
    assert _core.blob_kind(blob) == "plain"
    assert _core.open_blob(blob) == (keys / "rsa-encrypted.key").read_bytes()
    assert _core.seal_blob((keys / "rsa-encrypted.key").read_bytes(), compress=False) == blob


def test_a_foreign_or_missing_key_opens_nothing(datastore_323: Path) -> None:
    path = next(datastore_323.glob("host/enc/*/note.conf.blob"))
    with pytest.raises(EncryptionKeyError, match="missing key"):
        _core.open_blob(path.read_bytes())
    with pytest.raises(IntegrityError, match="another key"):
        _core.open_blob(path.read_bytes(), key=_core.CryptKey(bytes(32)))


def test_key_material_is_that_of_the_file(fixtures_323: Path) -> None:
    raw = json.loads((fixtures_323 / "keys" / "none.json").read_text())
    key = _core.CryptKey(base64.b64decode(raw["data"]))
    assert key.fingerprint.hex(":") == raw["fingerprint"]
