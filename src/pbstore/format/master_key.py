"""Master keys: an RSA pair whose private half, kept elsewhere, opens the key of every backup (keys.md 6)."""

from typing import NamedTuple

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey, generate_private_key
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from pbstore.errors import EncryptionKeyError
from pbstore.format.key_file import KeyFile, check_password

KEY_BITS = 4096
EXPONENT = 65537
PADDING_BYTES = 11


class MasterKeyPair(NamedTuple):
    """Two PEM files: the public one for every client, the private one (protected) for a safe place."""

    public_pem: bytes
    private_pem: bytes

    def __repr__(self) -> str:
        return "MasterKeyPair(...)"


def create_master_key(password: str) -> MasterKeyPair:
    """Make a new pair of 4096 bits; takes seconds.

    Raises:
        EncryptionKeyError: the password is too short.
    """
    check_password(password)
    return protected_pair(generate_master_key(), password)


def generate_master_key() -> RSAPrivateKey:
    """Make a new private key of 4096 bits; takes seconds."""
    return generate_private_key(EXPONENT, KEY_BITS)


def protected_pair(private: RSAPrivateKey, password: str) -> MasterKeyPair:
    """Return both halves as files, the private one protected.

    Raises:
        EncryptionKeyError: the password is too short.
    """
    check_password(password)
    public_pem = private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    protection = BestAvailableEncryption(password.encode())
    return MasterKeyPair(public_pem, private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, protection))


def load_public_key(pem: bytes) -> RSAPublicKey:
    """Read the public half.

    Raises:
        EncryptionKeyError: no PEM file with an RSA public key.
    """
    try:
        key = load_pem_public_key(pem)
    except (ValueError, UnsupportedAlgorithm):
        raise EncryptionKeyError("master public key is no PEM file with a public key") from None
    if not isinstance(key, RSAPublicKey):
        raise EncryptionKeyError("master public key is no RSA key")
    return key


def encrypt_key_file(key_file: KeyFile, public_key: RSAPublicKey) -> bytes:
    """Return the content of `rsa-encrypted.key.blob`: the unprotected key file in one RSA block.

    Raises:
        EncryptionKeyError: the RSA key is too small to hold it, or the key file is protected.
    """
    if key_file.kdf is not None:
        raise EncryptionKeyError("only a key file without password can be given to a master key")
    text = key_file.encode()
    if len(text) + PADDING_BYTES > public_key.key_size // 8:
        needed = (len(text) + PADDING_BYTES) * 8
        raise EncryptionKeyError(f"master key of {public_key.key_size} bits is too small: at least {needed} are needed")
    return public_key.encrypt(text, PKCS1v15())


def decrypt_key_file(sealed: bytes, private_pem: bytes, password: str) -> KeyFile:
    """Open the content of `rsa-encrypted.key.blob`.

    Raises:
        EncryptionKeyError: no such private key, wrong password, or sealed for another master key.
    """
    private = _load_private_key(private_pem, password)
    try:
        text = private.decrypt(sealed, PKCS1v15())
        return KeyFile.parse(text)
    except (ValueError, EncryptionKeyError):
        # Newer OpenSSL answers a wrong key with random bytes instead of an error; both mean the same here.
        raise EncryptionKeyError("cannot decrypt the key: it was encrypted for another master key") from None


def _load_private_key(pem: bytes, password: str) -> RSAPrivateKey:
    try:
        key = load_pem_private_key(pem, password.encode() if b"ENCRYPTED" in pem else None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise EncryptionKeyError("cannot open the master private key: wrong password, or no PEM private key") from None
    if not isinstance(key, RSAPrivateKey):
        raise EncryptionKeyError("master private key is no RSA key")
    return key
