"""Master keys: round trips, sizes, and keys that are not RSA."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1
from cryptography.hazmat.primitives.asymmetric.ec import generate_private_key as generate_ec_key
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from pbstore.errors import EncryptionKeyError
from pbstore.format.kdf import Pbkdf2
from pbstore.format.key_file import KeyFile
from pbstore.format.master_key import create_master_key, decrypt_key_file, encrypt_key_file, load_public_key

PASSWORD = "master pass"


def plain_pem(key: RSAPrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def test_new_pair_seals_and_opens() -> None:
    pair = create_master_key(PASSWORD)
    public = load_public_key(pair.public_pem)
    assert (public.key_size, public.public_numbers().e) == (4096, 65537)
    assert pair.private_pem.startswith(b"-----BEGIN ENCRYPTED PRIVATE KEY-----\n")
    assert "PRIVATE" not in repr(pair)
    key_file = KeyFile.create(bytes(range(32)))
    sealed = encrypt_key_file(key_file, public)
    assert len(sealed) == 512
    assert decrypt_key_file(sealed, pair.private_pem, PASSWORD) == key_file
    with pytest.raises(EncryptionKeyError, match="wrong password"):
        decrypt_key_file(sealed, pair.private_pem, "another pass")


def test_sizes() -> None:
    key_file = KeyFile.create(bytes(32))
    private = generate_private_key(65537, 3072)
    sealed = encrypt_key_file(key_file, private.public_key())
    assert len(sealed) == 384
    assert decrypt_key_file(sealed, plain_pem(private), "") == key_file
    with pytest.raises(EncryptionKeyError, match="too small"):
        encrypt_key_file(key_file, generate_private_key(65537, 2048).public_key())


def test_another_master_key_or_damage_opens_nothing() -> None:
    private, other = generate_private_key(65537, 3072), generate_private_key(65537, 3072)
    sealed = encrypt_key_file(KeyFile.create(bytes(32)), private.public_key())
    for attempt, pem in ((sealed, plain_pem(other)), (sealed[:-1], plain_pem(private)), (b"", plain_pem(private))):
        with pytest.raises(EncryptionKeyError, match="another master key"):
            decrypt_key_file(attempt, pem, "")


def test_protected_key_files_are_refused() -> None:
    protected = KeyFile.create(bytes(32), kdf=Pbkdf2(rounds=10), password="12345")
    with pytest.raises(EncryptionKeyError, match="without password"):
        encrypt_key_file(protected, generate_private_key(65537, 4096).public_key())


def test_keys_that_are_not_rsa() -> None:
    key = generate_ec_key(SECP256R1())
    with pytest.raises(EncryptionKeyError, match="no RSA key"):
        load_public_key(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    with pytest.raises(EncryptionKeyError, match="no RSA key"):
        decrypt_key_file(b"", pem, "")
    with pytest.raises(EncryptionKeyError, match="no PEM"):
        load_public_key(b"hello")


def test_short_password_makes_no_pair() -> None:
    with pytest.raises(EncryptionKeyError, match="at least 5"):
        create_master_key("1234")
