"""Manifests that the original programs wrote and signed."""

import hashlib
from pathlib import Path

import pytest

from pbstore import _core
from pbstore.errors import IntegrityError
from pbstore.format.key_file import KeyFile
from pbstore.format.manifest import MANIFEST_FILE_NAME, Manifest
from pbstore.model.crypt_mode import CryptMode

KEY_FILES = {"323": "none.json", "423": "enc.json"}


def manifests(datastore: Path) -> list[Path]:
    return sorted(datastore.rglob(MANIFEST_FILE_NAME))


@pytest.fixture(params=["323", "423"])
def release(request: pytest.FixtureRequest) -> tuple[Path, _core.CryptKey]:
    fixtures: Path = request.getfixturevalue(f"fixtures_{request.param}")
    key_file = KeyFile.load(fixtures / "keys" / KEY_FILES[request.param])
    datastore: Path = request.getfixturevalue(f"datastore_{request.param}")
    return datastore, _core.CryptKey(key_file.open(lambda: ""))


def test_every_manifest_is_rewritten_byte_for_byte(release: tuple[Path, _core.CryptKey]) -> None:
    paths = manifests(release[0])
    assert len(paths) >= 8
    for path in paths:
        data = _core.open_blob(path.read_bytes())
        manifest = Manifest.parse(data)
        assert manifest.encode() == data
        assert str(manifest.snapshot) == "/".join(path.parts[-4:-1])


def test_signatures(release: tuple[Path, _core.CryptKey]) -> None:
    datastore, key = release
    modes = set()
    for path in manifests(datastore):
        manifest = Manifest.parse(_core.open_blob(path.read_bytes()))
        if manifest.signature is None:
            assert manifest.key_fingerprint is None
            continue
        assert manifest.key_fingerprint is not None
        assert manifest.key_fingerprint.value == key.fingerprint
        manifest.check_signature(key)
        with pytest.raises(IntegrityError):
            manifest.check_signature(_core.CryptKey(bytes(32)))
        original = manifest.signature
        manifest.sign(key)
        assert manifest.signature == original
        modes |= {entry.crypt_mode for entry in manifest.files}
    assert modes == {CryptMode.ENCRYPT, CryptMode.SIGN_ONLY}


def test_files_are_what_the_manifest_says(release: tuple[Path, _core.CryptKey]) -> None:
    for path in manifests(release[0]):
        manifest = Manifest.parse(_core.open_blob(path.read_bytes()))
        for entry in manifest.files:
            data = (path.parent / entry.filename).read_bytes()
            if entry.filename.endswith(".blob"):
                manifest.verify_file(entry.filename, len(data), hashlib.sha256(data).digest())
                continue
            is_fixed = entry.filename.endswith(".fidx")
            index = _core.FixedIndex.parse(data) if is_fixed else _core.DynamicIndex.parse(data)
            manifest.verify_file(entry.filename, index.size, index.csum)


def test_manifests_are_what_the_original_restored(datastore_323: Path, fixtures_323: Path) -> None:
    """`restore SNAPSHOT index.json -`, of every snapshot of the root namespace."""
    restored = sorted((fixtures_323 / "store-out").glob("*.index.json"))
    assert len(restored) >= 8
    for path in restored:
        backup_type, backup_id, time = path.name.removesuffix(".index.json").split("_", 2)
        stored = datastore_323 / backup_type / backup_id / time.replace("_", ":") / MANIFEST_FILE_NAME
        assert Manifest.parse(_core.open_blob(stored.read_bytes())).encode() == path.read_bytes()
