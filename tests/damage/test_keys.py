"""Damaged keys: none ever opens as another key, and no error shows key material."""

import json
from base64 import b64encode
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat

from damage.matrix import check_noticed, complaint
from oracle.digest import fingerprint_text
from oracle.key_file import protect
from pbstore.format.key_file import KeyFile
from pbstore.format.master_key import decrypt_key_file, encrypt_key_file

KEY = bytes(range(100, 132))
PASSWORD = "secret pass"
SALT = "paWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaU="
# Few rounds, for the tests' sake.
KDFS: dict[str, dict[str, Any] | None] = {
    "none": None,
    "scrypt": {"Scrypt": {"n": 16, "r": 1, "p": 1, "salt": SALT}},
    "pbkdf2": {"PBKDF2": {"iter": 10, "salt": SALT}},
}


def key_text(name: str) -> bytes:
    kdf = KDFS[name]
    raw = {
        "kdf": kdf,
        "created": "2024-01-02T03:04:05+00:00",
        "modified": "2024-01-02T03:04:05+00:00",
        "data": protect(KEY, kdf, PASSWORD, bytes(16)) if kdf else b64encode(KEY).decode(),
        "fingerprint": fingerprint_text(KEY),
    }
    return json.dumps(raw, separators=(",", ":")).encode()


TEXTS = {name: key_text(name) for name in KDFS}


def read(text: bytes) -> bytes:
    return KeyFile.parse(text).open(lambda: PASSWORD)


@pytest.mark.parametrize("name", TEXTS)
def test_no_flipped_bit_gives_another_key(name: str) -> None:
    """Every bit: it is noticed, or the key is the same, because only a time or the name of a key is different."""
    text, noticed = TEXTS[name], 0
    assert read(text) == KEY
    for at in range(len(text)):
        for bit in range(8):
            damaged = text[:at] + bytes([text[at] ^ 1 << bit]) + text[at + 1 :]
            said = complaint(damaged, read)
            if said:
                noticed += 1
                assert not shows_key(said)
            else:
                assert read(damaged) == KEY, damaged
    assert noticed > 6 * len(text)


def shows_key(said: str) -> bool:
    """Whether a message has a piece of the key or of its protected form."""
    secrets = [json.loads(text)["data"] for text in TEXTS.values()]
    return any(secret[at : at + 8] in said for secret in secrets for at in range(0, len(secret) - 8, 4))


@pytest.mark.parametrize("name", TEXTS)
def test_wrong_lengths(name: str) -> None:
    text = TEXTS[name]
    for length in range(len(text)):
        check_noticed(text[:length], read, "key file is no valid JSON")
    check_noticed(text + b"\0", read, "key file is no valid JSON")
    check_noticed(text + text, read, "key file is no valid JSON")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda raw: raw.update(data=b64encode(bytes(32)).decode()), "another key than its fingerprint says"),
        (lambda raw: raw.update(data=b64encode(bytes(31)).decode()), "an encryption key has 32 bytes, not 31"),
        (lambda raw: raw.update(fingerprint=":".join(["00"] * 32)), "another key than its fingerprint says"),
        (lambda raw: raw.update(kdf=KDFS["scrypt"]), "key file has protected data of 32 bytes instead of 64"),
        (lambda raw: raw.pop("data"), "key file has no valid base64 text 'data'"),
        (lambda raw: raw.pop("created"), "key file has no text 'created'"),
    ],
)
def test_parts_of_another_key(change: Callable[[dict[str, Any]], object], said: str) -> None:
    raw = json.loads(TEXTS["none"])
    change(raw)
    check_noticed(json.dumps(raw).encode(), read, said)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda raw: raw.update(created="2020-01-01T00:00:00Z"), "times are only shown"),
        (lambda raw: raw.pop("fingerprint"), "very old files have none; manifests name the key that they need"),
        (lambda raw: raw.update(more=1), "later releases may write more"),
    ],
)
def test_what_nobody_can_notice(change: Callable[[dict[str, Any]], object], reason: str) -> None:
    raw = json.loads(TEXTS["none"])
    change(raw)
    assert read(json.dumps(raw).encode()) == KEY, reason


def test_a_sealed_key_that_is_damaged() -> None:
    """RSA with padding: a flipped bit anywhere makes noise of it, and noise is no key file."""
    private = generate_private_key(65537, 2560)
    pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(PASSWORD.encode()))
    sealed = encrypt_key_file(KeyFile.create(KEY), private.public_key())

    def open_sealed(data: bytes) -> bytes:
        return decrypt_key_file(data, pem, PASSWORD).data

    said = "cannot decrypt the key: it was encrypted for another master key"
    assert open_sealed(sealed) == KEY
    for at in (0, len(sealed) - 1):
        check_noticed(sealed[:at] + bytes([sealed[at] ^ 1]) + sealed[at + 1 :], open_sealed, said)
    check_noticed(sealed[:-1], open_sealed, said)
    check_noticed(sealed + b"\0", open_sealed, said)
    other = generate_private_key(65537, 2560)
    check_noticed(encrypt_key_file(KeyFile.create(KEY), other.public_key()), open_sealed, said)
