"""`authkey.key` and `authkey.pub`: the key that signs tickets (auth.md 3.1)."""

from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from pbstore.config.atomic_file import create_file
from pbstore.config.file_kind import FileKind
from pbstore.config.root_files import read_config_file, replace_config_file
from pbstore.config.roots import Roots
from pbstore.errors import ConfigError


@dataclass(frozen=True)
class AuthKey:
    """Ed25519, or the RSA key of an older installation (PKCS#1 v1.5 with SHA-256)."""

    private: Ed25519PrivateKey | RSAPrivateKey

    def sign(self, data: bytes) -> bytes:
        """Return the signature of `data`."""
        if isinstance(self.private, Ed25519PrivateKey):
            return self.private.sign(data)
        return self.private.sign(data, padding.PKCS1v15(), hashes.SHA256())

    def is_signature(self, signature: bytes, data: bytes) -> bool:
        """Return whether this key made the signature over `data`."""
        try:
            if isinstance(self.private, Ed25519PrivateKey):
                self.private.public_key().verify(signature, data)
            else:
                self.private.public_key().verify(signature, data, padding.PKCS1v15(), hashes.SHA256())
        except InvalidSignature:
            return False
        return True


def load_or_create_auth_key(roots: Roots) -> AuthKey:
    """Return the key, made at the first start; two processes that start together end up with one key.

    Raises:
        ConfigError: there is a key that cannot be used.
    """
    path = roots.config_dir / "authkey.key"
    public_path = roots.config_dir / "authkey.pub"
    try:
        if not path.exists():
            create_file(path, _private_pem(Ed25519PrivateKey.generate()), mode=0o600, owner=FileKind.SECRET.owner())
        content = read_config_file(path)
        key = _load(content, str(path))
        if not public_path.exists():
            replace_config_file(public_path, _public_pem(key), FileKind.CONFIG)
    except OSError as error:
        raise ConfigError(f"cannot read or make {path}: {error.strerror}") from error
    return AuthKey(key)


def _load(content: bytes, name: str) -> Ed25519PrivateKey | RSAPrivateKey:
    try:
        key = serialization.load_pem_private_key(content, password=None)
    except (ValueError, TypeError):
        raise ConfigError(f"{name}: no PEM private key without password") from None
    if not isinstance(key, Ed25519PrivateKey | RSAPrivateKey):
        raise ConfigError(f"{name}: neither an Ed25519 nor an RSA key")
    return key


def _private_pem(key: Ed25519PrivateKey) -> bytes:
    encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    return key.private_bytes(encoding, form, serialization.NoEncryption())


def _public_pem(key: Ed25519PrivateKey | RSAPrivateKey) -> bytes:
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_key().public_bytes(serialization.Encoding.PEM, form)
