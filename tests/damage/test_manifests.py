"""Damaged manifests: the blob around the text, the text under a signature, and the text without one."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from damage.matrix import (
    Place,
    check_complete,
    check_extensions,
    check_flips,
    check_noticed,
    check_truncations,
    complaint,
    places,
)
from pbstore import _core
from pbstore.client.keys import Keys
from pbstore.client.manifest_check import check_key, parse_manifest
from pbstore.errors import IntegrityError
from pbstore.format.manifest import Manifest, ManifestFile
from pbstore.model.backup import Snapshot
from pbstore.model.crypt_mode import CryptMode
from pbstore.model.fingerprint import Fingerprint

KEY = _core.CryptKey(bytes(range(32)))
SNAPSHOT = Snapshot.parse("host/a/2024-01-02T03:04:05Z")
FILES = (
    ManifestFile("a.img.fidx", CryptMode.ENCRYPT, 9000, bytes(range(32))),
    ManifestFile("b.conf.blob", CryptMode.ENCRYPT, 55, bytes(range(32, 64))),
)
WITH_KEY = Keys(crypt_mode=CryptMode.ENCRYPT, key=KEY, fingerprint=Fingerprint(KEY.fingerprint))
CRC = "index.json.blob: blob has wrong CRC-32"
WRONG_SIGNATURE = f"wrong signature in the manifest of {SNAPSHOT}"


def manifest_text(key: _core.CryptKey | None) -> bytes:
    manifest = Manifest(SNAPSHOT)
    for file in FILES:
        manifest.add(file.filename, file.crypt_mode, file.size, file.csum)
    manifest.unprotected |= {"notes": "words", "verify_state": {"state": "ok", "upid": "x"}}
    return manifest.encode(key)


SIGNED, UNSIGNED = manifest_text(KEY), manifest_text(None)
BLOBS = {"plain": _core.seal_blob(SIGNED, compress=False), "compressed": _core.seal_blob(SIGNED)}


def read_blob(blob: bytes) -> Manifest:
    """As a client with the key does."""
    manifest = parse_manifest(blob, WITH_KEY)
    check_key(manifest, WITH_KEY)
    return manifest


def read_signed(text: bytes) -> Manifest:
    """The same, under a CRC that is right."""
    return read_blob(_core.seal_blob(text))


def read_unsigned(text: bytes) -> Manifest:
    """As a client without a key does who restores all files, which are what they were."""
    manifest = parse_manifest(_core.seal_blob(text), Keys())
    check_key(manifest, Keys())
    if manifest.snapshot != SNAPSHOT:
        raise IntegrityError("the server sent another manifest")
    for file in FILES:
        manifest.verify_file(file.filename, file.size, file.csum)
    return manifest


def table(kind: str) -> list[Place]:
    """The places of the blob."""
    payload = len(BLOBS[kind]) - 12
    return places(("magic", 8, "index.json.blob: unknown magic|no data blob"), ("CRC", 4, CRC), ("text", payload, CRC))


@pytest.mark.parametrize("kind", BLOBS)
def test_flipped_bits_of_the_blob(kind: str) -> None:
    assert _core.blob_kind(BLOBS[kind]) == kind
    assert read_blob(BLOBS[kind]).files == FILES
    check_complete(BLOBS[kind], table(kind))
    for place in table(kind):
        check_flips(BLOBS[kind], place, read_blob)


@pytest.mark.parametrize("kind", BLOBS)
def test_wrong_lengths_of_the_blob(kind: str) -> None:
    check_truncations(BLOBS[kind], table(kind), read_blob, f"index.json.blob: no data blob|{CRC}")
    check_extensions(BLOBS[kind], read_blob, CRC)


@pytest.mark.parametrize("text", [SIGNED, UNSIGNED], ids=["signed", "unsigned"])
def test_wrong_lengths_of_the_text(text: bytes) -> None:
    read = read_signed if text is SIGNED else read_unsigned
    for length in range(len(text)):
        check_noticed(text[:length], read, "index.json.blob: manifest is no valid JSON")
    check_noticed(text + text, read, "index.json.blob: manifest is no valid JSON")


def facts(manifest: Manifest) -> tuple[Snapshot, dict[str, tuple[int, bytes]]]:
    return manifest.snapshot, {file.filename: (file.size, file.csum) for file in manifest.files}


@pytest.mark.parametrize("text", [SIGNED, UNSIGNED], ids=["signed", "unsigned"])
def test_no_flipped_bit_changes_what_is_restored(text: bytes) -> None:
    """Every bit of the text: it is noticed, or snapshot, names, sizes and checksums are what they were."""
    read = read_signed if text is SIGNED else read_unsigned
    noticed, original = 0, facts(read(text))
    for at in range(len(text)):
        for bit in range(8):
            damaged = text[:at] + bytes([text[at] ^ 1 << bit]) + text[at + 1 :]
            if complaint(damaged, read):
                noticed += 1
            else:
                assert facts(read(damaged)) == original, damaged
    assert noticed > 4 * len(text)


def changed(change: Callable[[dict[str, Any]], object], text: bytes = SIGNED) -> bytes:
    raw = json.loads(text)
    change(raw)
    return json.dumps(raw).encode()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda raw: raw.update({"backup-id": "b"}), "wrong signature in the manifest of host/b/"),
        (lambda raw: raw.update({"backup-time": 5}), "wrong signature in the manifest of host/a/1970"),
        (lambda raw: raw.update({"backup-type": "vm"}), "wrong signature in the manifest of vm/a/"),
        (lambda raw: raw["files"][0].update(size=9001), WRONG_SIGNATURE),
        (lambda raw: raw["files"][0].update(csum="00" * 32), WRONG_SIGNATURE),
        (lambda raw: raw["files"][0].update({"crypt-mode": "none"}), WRONG_SIGNATURE),
        (lambda raw: raw["files"][0].update(filename="c.img.fidx"), WRONG_SIGNATURE),
        (lambda raw: raw["files"].reverse(), WRONG_SIGNATURE),
        (lambda raw: raw["files"].pop(), WRONG_SIGNATURE),
        (lambda raw: raw["files"].append({**raw["files"][0], "filename": "c.blob"}), WRONG_SIGNATURE),
        (lambda raw: raw.update(signature="00" * 32), WRONG_SIGNATURE),
        (lambda raw: raw.update(signature="0"), "index.json.blob: manifest has a 'signature' that is not 64 hex"),
        (lambda raw: raw["unprotected"].update({"key-fingerprint": ":".join(["00"] * 32)}), "wrong key .*00:00"),
        (lambda raw: raw["files"].append(raw["files"][0]), "index.json.blob: manifest lists 'a.img.fidx' twice"),
    ],
)
def test_changes_under_a_signature(change: Callable[[dict[str, Any]], object], said: str) -> None:
    check_noticed(changed(change), read_signed, said)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda raw: raw["unprotected"].update(notes="other"), "notes are for everybody to change"),
        (lambda raw: raw["unprotected"].update(verify_state=None), "servers write what they verified"),
        (lambda raw: raw["unprotected"].pop("key-fingerprint"), "the signature itself tells whether the key is right"),
        (lambda raw: raw.update(signature=None), "a backup without key has none; restore --crypt-mode insists on one"),
    ],
)
def test_changes_that_no_signature_covers(change: Callable[[dict[str, Any]], object], reason: str) -> None:
    assert read_signed(changed(change)).files == FILES, reason


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda raw: raw.update({"backup-id": "b"}), "another manifest"),
        (lambda raw: raw.update({"backup-time": 5}), "another manifest"),
        (
            lambda raw: raw["files"][0].update(size=9001),
            "wrong size for file 'a.img.fidx': .* 9001, got 9000",
        ),
        (lambda raw: raw["files"][0].update(csum="00" * 32), "wrong checksum for file 'a.img.fidx'"),
        (lambda raw: raw["files"][0].update(filename="c.img.fidx"), "manifest does not contain file 'a.img.fidx'"),
        (lambda raw: raw["files"].pop(), "manifest does not contain file 'b.conf.blob'"),
        (lambda raw: raw.pop("files"), "index.json.blob: manifest has no list 'files'"),
    ],
)
def test_changes_without_a_signature(change: Callable[[dict[str, Any]], object], said: str) -> None:
    """The files themselves give them away."""
    check_noticed(changed(change, UNSIGNED), read_unsigned, said)
