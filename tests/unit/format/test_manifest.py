"""Manifests: both signature vectors of manifest.md 7, and everything that must be refused."""

import hashlib
import json
from typing import Any

import pytest

from pbstore import _core
from pbstore.errors import FormatError, IntegrityError, NotFoundError
from pbstore.format.manifest import Manifest
from pbstore.model.backup import Snapshot
from pbstore.model.crypt_mode import CryptMode

KEY = _core.CryptKey(bytes(range(32)))
SIGNATURE = "9f8c05da7e3b7809f1c8c81f39c478e0ff65ac25907a1683a844b1631c6a1a3f"
FINGERPRINT = "0e:ab:d4:46:0b:6e:b9:ca:34:50:23:de:e2:b7:78:c7:90:e5:4a:16:83:b9:65:9c:0a:57:ae:19:90:90:15:9b"
IMAGE_CSUM = "c8f97c712320613991f39507b92b54d92085daf3d0b44dc6264b60a9c6da2fc1"
CONF_CSUM = "55a38f10a4079c76ce00f9302eaf4f3e651f6c20a81f78487dc9bb8680675511"


def example() -> Manifest:
    manifest = Manifest(Snapshot.parse("vm/100/2024-01-02T03:04:05Z"))
    manifest.add("drive-scsi0.img.fidx", CryptMode.ENCRYPT, 9437184, bytes.fromhex(IMAGE_CSUM))
    manifest.add("qemu-server.conf.blob", CryptMode.ENCRYPT, 55, bytes.fromhex(CONF_CSUM))
    return manifest


def changed(**values: Any) -> bytes:
    return json.dumps({**json.loads(example().encode(KEY)), **values}).encode()


def test_signature_of_the_worked_example() -> None:
    manifest = Manifest.parse(example().encode(KEY))
    assert manifest.signature == SIGNATURE
    assert str(manifest.key_fingerprint) == FINGERPRINT
    manifest.check_signature(KEY)


def test_signature_of_the_second_vector() -> None:
    key = hashlib.scrypt(b"test", salt=b"", n=65536, r=8, p=1, dklen=32, maxmem=1 << 28)
    manifest = Manifest(Snapshot.parse("host/elsa/2020-06-26T13:56:05Z"))
    manifest.add("test1.img.fidx", CryptMode.ENCRYPT, 200, b"\x01" * 32)
    manifest.add("abc.blob", CryptMode.NONE, 200, b"\x02" * 32)
    manifest.unprotected["notes"] = "not signed"
    manifest.sign(_core.CryptKey(key))
    assert manifest.signature == "d7b446fb7db081662081d4b40fedd858a1d6307a5aff4ecff7d5bf4fd35679e9"


def test_text_is_written_like_the_original_does() -> None:
    manifest = Manifest(Snapshot.parse("ct/5/2024-01-02T03:04:05Z"))
    assert manifest.encode() == (
        b'{\n  "backup-id": "5",\n  "backup-time": 1704164645,\n  "backup-type": "ct",\n'
        b'  "files": [],\n  "signature": null,\n  "unprotected": {}\n}'
    )


@pytest.mark.parametrize(
    ("key", "value"), [("size", 9437185), ("csum", "00" * 32), ("crypt-mode", "none"), ("filename", "x.blob")]
)
def test_a_changed_file_breaks_the_signature(key: str, value: object) -> None:
    raw = json.loads(example().encode(KEY))
    raw["files"][0][key] = value
    with pytest.raises(IntegrityError, match="wrong signature"):
        Manifest.parse(json.dumps(raw).encode()).check_signature(KEY)


def test_changed_order_time_or_removed_signature_break_it() -> None:
    files = json.loads(example().encode(KEY))["files"]
    for data in (changed(files=files[::-1]), changed(**{"backup-time": 5}), changed(signature=None)):
        with pytest.raises(IntegrityError):
            Manifest.parse(data).check_signature(KEY)


def test_another_key_is_noticed() -> None:
    with pytest.raises(IntegrityError):
        Manifest.parse(example().encode(KEY)).check_signature(_core.CryptKey(bytes(32)))


def test_notes_may_change_and_unknown_unprotected_keys_stay() -> None:
    manifest = Manifest.parse(changed(unprotected={"future": {"x": [1, None, 1.5]}}))
    manifest.unprotected["notes"] = "Grüße\nzwei"
    again = Manifest.parse(manifest.encode())
    again.check_signature(KEY)
    assert again.unprotected == {"future": {"x": [1, None, 1.5]}, "notes": "Grüße\nzwei"}


def test_unknown_keys_stay_and_may_be_signed_or_not() -> None:
    not_signed = Manifest.parse(changed(future=1))
    not_signed.check_signature(KEY)
    raw = json.loads(changed(future=1))
    text = json.dumps(
        {key: raw[key] for key in raw.keys() - {"signature", "unprotected"}}, sort_keys=True, separators=(",", ":")
    )
    raw["signature"] = KEY.auth_tag(text.encode()).hex()
    signed = Manifest.parse(json.dumps(raw).encode())
    signed.check_signature(KEY)
    rewritten = Manifest.parse(signed.encode())
    rewritten.check_signature(KEY)
    assert json.loads(rewritten.encode())["future"] == 1


def test_old_manifests_lack_keys() -> None:
    raw = json.loads(example().encode())
    del raw["signature"], raw["unprotected"], raw["files"][0]["crypt-mode"]
    manifest = Manifest.parse(json.dumps(raw).encode())
    assert (manifest.signature, manifest.unprotected, manifest.key_fingerprint) == (None, {}, None)
    assert manifest.files[0].crypt_mode is CryptMode.NONE


def test_text_as_received() -> None:
    data = b" " + changed()
    manifest = Manifest.parse(data)
    assert manifest.encode_as_received() == data
    manifest.add("x.conf.blob", CryptMode.NONE, 12, bytes(32))
    assert (manifest.signature, len(Manifest.parse(manifest.encode_as_received()).files)) == (None, 3)


def test_files_are_compared_by_size_then_checksum() -> None:
    manifest = example()
    assert manifest.verify_file("qemu-server.conf.blob", 55, bytes.fromhex(CONF_CSUM)).size == 55
    with pytest.raises(IntegrityError, match="wrong size"):
        manifest.verify_file("qemu-server.conf.blob", 56, bytes(32))
    with pytest.raises(IntegrityError, match="wrong checksum"):
        manifest.verify_file("qemu-server.conf.blob", 55, bytes(32))
    with pytest.raises(NotFoundError):
        manifest.verify_file("other.blob", 55, bytes(32))


FILE = {"filename": "a.blob", "crypt-mode": "none", "size": 1, "csum": "00" * 32}


@pytest.mark.parametrize(
    "values",
    [
        {"backup-type": "vmx"},
        {"backup-id": "../x"},
        {"backup-id": 5},
        {"backup-time": 0},
        {"backup-time": True},
        {"backup-time": "1704164645"},
        {"backup-time": 1.0},
        {"files": None},
        {"files": {}},
        {"files": [7]},
        {"files": [FILE, FILE]},
        {"files": [{**FILE, "filename": "../../etc/passwd.blob"}]},
        {"files": [{**FILE, "filename": "a.txt"}]},
        {"files": [{**FILE, "crypt-mode": None}]},
        {"files": [{**FILE, "crypt-mode": "rot13"}]},
        {"files": [{**FILE, "size": -1}]},
        {"files": [{**FILE, "size": 1 << 64}]},
        {"files": [{**FILE, "csum": "00"}]},
        {"signature": 5},
        {"signature": "00"},
        {"unprotected": []},
        {"unprotected": {"key-fingerprint": "00"}},
        {"unprotected": {"key-fingerprint": 7}},
    ],
)
def test_unfit_values_are_refused(values: dict[str, Any]) -> None:
    with pytest.raises(FormatError):
        Manifest.parse(changed(**values))


@pytest.mark.parametrize("data", [b"", b"[]", b"null", b"{}", b" " * (16 * 1024 * 1024 + 1)])
def test_what_is_no_manifest(data: bytes) -> None:
    with pytest.raises(FormatError):
        Manifest.parse(data)
