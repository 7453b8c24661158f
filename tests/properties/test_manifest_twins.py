"""Manifests, canonical JSON and key files: the same texts and signatures as the twins'."""

import base64
import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from oracle import digest, key_file
from oracle import manifest as twin
from pbstore import _core
from pbstore.format.canonical_json import canonical_json
from pbstore.format.key_file import KeyFile
from pbstore.format.manifest import Manifest

keys = st.binary(min_size=32, max_size=32)
texts = st.text(max_size=12)
signable = st.recursive(
    st.booleans() | st.integers() | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=10,
)
files = st.lists(
    st.fixed_dictionaries(
        {
            "filename": st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,8}\.(blob|fidx|didx)", fullmatch=True),
            "crypt-mode": st.sampled_from(["none", "encrypt", "sign-only"]),
            "size": st.integers(0, 2**64 - 1),
            "csum": st.binary(min_size=32, max_size=32).map(bytes.hex),
        }
    ),
    max_size=4,
    unique_by=lambda file: file["filename"],
)
manifests = st.fixed_dictionaries(
    {
        "backup-type": st.sampled_from(["vm", "ct", "host"]),
        "backup-id": st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,8}", fullmatch=True),
        "backup-time": st.integers(1, 253402300799),
        "files": files,
        "unprotected": st.dictionaries(texts, signable, max_size=3).filter(lambda keys: "key-fingerprint" not in keys),
    }
)
passwords = st.text(min_size=5, max_size=12).filter(lambda text: len(text.encode()) >= 5)
salts = st.binary(max_size=40).map(lambda salt: base64.b64encode(salt).decode())
kdfs = st.builds(
    lambda bits, p, salt: {"Scrypt": {"n": 1 << bits, "r": 8, "p": p, "salt": salt}},
    st.integers(1, 6),
    st.integers(1, 3),
    salts,
) | st.builds(lambda rounds, salt: {"PBKDF2": {"iter": rounds, "salt": salt}}, st.integers(1, 50), salts)


@given(signable)
def test_canonical_json(value: Any) -> None:
    assert canonical_json(value) == twin.canonical(value).encode()


@given(manifests, keys)
def test_we_sign_what_the_twin_wrote_as_the_twin_does(raw: dict[str, Any], key: bytes) -> None:
    manifest = Manifest.parse(json.dumps(raw).encode())
    manifest.sign(_core.CryptKey(key))
    raw["signature"] = twin.signature(raw, key)
    raw["unprotected"]["key-fingerprint"] = digest.fingerprint_text(key)
    assert manifest.encode() == twin.text(raw)
    again = Manifest.parse(twin.text(raw))
    again.check_signature(_core.CryptKey(key))
    assert again.encode() == twin.text(raw)
    assert twin.signature(json.loads(again.encode()), key) == raw["signature"]


@given(keys, kdfs, passwords, st.binary(min_size=16, max_size=16))
def test_we_open_the_keys_that_the_twin_protects(key: bytes, kdf: dict[str, Any], password: str, iv: bytes) -> None:
    raw = {
        "kdf": kdf,
        "created": "2024-01-02T03:04:05+01:00",
        "modified": "2024-01-02T03:04:05Z",
        "data": key_file.protect(key, kdf, password, iv),
        "fingerprint": digest.fingerprint_text(key),
    }
    ours = KeyFile.parse(json.dumps(raw).encode())
    assert ours.open(lambda: password) == key
    again = json.loads(KeyFile.create(key, kdf=ours.kdf, password=password).encode())
    assert (again["kdf"], again["fingerprint"]) == (kdf, raw["fingerprint"])
    assert key_file.unprotect(again["data"], kdf, password) == key
