"""What `cert info` says of a certificate (cli-manager.md 1.1)."""

import hashlib
import ssl
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
from cryptography.utils import CryptographyDeprecationWarning

from pbstore.errors import ConfigError
from pbstore.model.fingerprint import Fingerprint

_SHORT_NAMES = {
    "2.5.4.3": "CN",
    "2.5.4.6": "C",
    "2.5.4.7": "L",
    "2.5.4.8": "ST",
    "2.5.4.10": "O",
    "2.5.4.11": "OU",
    "1.2.840.113549.1.9.1": "emailAddress",
    "0.9.2342.19200300.100.1.25": "DC",
}


@dataclass(frozen=True)
class CertificateFacts:
    """Names as `O = x, CN = y`, alternative names as `DNS:x`, `IP:[127, 0, 0, 1]`; times in UTC."""

    subject: str
    alternative_names: tuple[str, ...]
    issuer: str
    not_before: datetime
    not_after: datetime
    fingerprint: Fingerprint
    key_type: str
    key_bits: int | None
    pem: str


def certificate_facts(path: Path) -> CertificateFacts:
    """Read the first certificate of a PEM file.

    Raises:
        ConfigError: it cannot be read, or is none.
    """
    text, der = _first_certificate(path)
    try:
        with warnings.catch_warnings():
            # The original's certificates have the serial number 0, of which the library warns whoever runs it.
            warnings.filterwarnings("ignore", "Parsed a serial number", CryptographyDeprecationWarning)
            certificate = x509.load_der_x509_certificate(der)
    except ValueError:
        raise ConfigError(f"{path}: no certificate that can be read") from None
    key_type, key_bits = _key(certificate.public_key())
    return CertificateFacts(
        _name(certificate.subject),
        tuple(_alternative_names(certificate)),
        _name(certificate.issuer),
        certificate.not_valid_before_utc,
        certificate.not_valid_after_utc,
        Fingerprint(hashlib.sha256(der).digest()),
        key_type,
        key_bits,
        text,
    )


def certificate_fingerprint(path: Path) -> Fingerprint:
    """Return SHA-256 over the first certificate of a PEM file, whatever is in it.

    Raises:
        ConfigError: it cannot be read, or is no PEM.
    """
    return Fingerprint(hashlib.sha256(_first_certificate(path)[1]).digest())


def _first_certificate(path: Path) -> tuple[str, bytes]:
    """Return the whole text and the first certificate as DER."""
    try:
        text = path.read_text("ascii", "replace")
        start, end = text.index(ssl.PEM_HEADER), text.index(ssl.PEM_FOOTER)
        return text, ssl.PEM_cert_to_DER_cert(text[start : end + len(ssl.PEM_FOOTER)])
    except FileNotFoundError:
        raise ConfigError(f"no certificate {path}: it is made when the server starts") from None
    except OSError as error:
        raise ConfigError(f"cannot read {path}: {error.strerror}") from error
    except ValueError:
        raise ConfigError(f"{path}: no PEM certificate") from None


def _name(name: x509.Name) -> str:
    parts = [f"{_SHORT_NAMES.get(part.oid.dotted_string, part.oid.dotted_string)} = {part.value!s}" for part in name]
    return ", ".join(parts)


def _alternative_names(certificate: x509.Certificate) -> Iterator[str]:
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, ValueError):
        return
    for name in names:
        if isinstance(name, x509.DNSName):
            yield f"DNS:{name.value}"
        elif isinstance(name, x509.IPAddress):
            packed = name.value.packed if hasattr(name.value, "packed") else name.value.network_address.packed
            yield f"IP:{list(packed)}"
        elif isinstance(name, x509.RFC822Name):
            yield f"EMAIL:{name.value}"
        elif isinstance(name, x509.UniformResourceIdentifier):
            yield f"URI:{name.value}"


def _key(key: CertificatePublicKeyTypes) -> tuple[str, int | None]:
    if isinstance(key, rsa.RSAPublicKey):
        return "rsaEncryption", key.key_size
    if isinstance(key, ec.EllipticCurvePublicKey):
        return "id-ecPublicKey", key.key_size
    return type(key).__name__.removesuffix("PublicKey").upper(), None
