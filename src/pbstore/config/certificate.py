"""`proxy.pem` and `proxy.key`: the server's self-made certificate (protocol-transport.md 2)."""

import ipaddress
import uuid
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from pbstore.config.config_file import ConfigFile
from pbstore.config.file_kind import FileKind
from pbstore.config.host_name import full_name
from pbstore.config.root_files import replace_config_file
from pbstore.config.roots import Roots
from pbstore.errors import ConfigError

KEY_BITS = 4096
VALID_DAYS = 365000
ORGANIZATION = "Proxmox Backup Server"
_LOCK_TIMEOUT_SECONDS = 120.0
_LAST_DATE = datetime(9999, 12, 31, tzinfo=UTC)


def ensure_certificate(roots: Roots, node: str, domain: str | None = None) -> bool:
    """Make key and certificate if one of them is missing; return whether they were made here.

    Of two processes that start together the second waits for the first and uses its certificate.

    Raises:
        ConfigError: they cannot be written.
        LockedError: another process takes more than two minutes.
    """
    return _under_lock(roots, node, domain, force=False)


def update_certificate(roots: Roots, node: str, domain: str | None = None) -> None:
    """Replace key and certificate by new ones.

    Raises:
        ConfigError: they cannot be written.
        LockedError: another process takes more than two minutes.
    """
    _under_lock(roots, node, domain, force=True)


def _under_lock(roots: Roots, node: str, domain: str | None, *, force: bool) -> bool:
    if not force and _complete(roots):
        return False
    file = ConfigFile(roots.certificate, FileKind.CONFIG)
    with file.locked(_LOCK_TIMEOUT_SECONDS):
        if not force and _complete(roots):
            return False
        key, certificate = make_certificate(node, domain, datetime.now(UTC))
        try:
            # A crash between the two leaves a pair that does not fit, so the old certificate goes first.
            roots.certificate.unlink(missing_ok=True)
            replace_config_file(roots.certificate_key, key, FileKind.CONFIG)
            replace_config_file(roots.certificate, certificate, FileKind.CONFIG)
        except OSError as error:
            raise ConfigError(f"cannot write the certificate {roots.certificate}: {error.strerror}") from error
    return True


def _complete(roots: Roots) -> bool:
    return roots.certificate.exists() and roots.certificate_key.exists()


def make_certificate(node: str, domain: str | None, now: datetime) -> tuple[bytes, bytes]:
    """Return PEM texts of a new key (PKCS#1) and of its certificate, valid for 1000 years."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=KEY_BITS)
    fqdn = full_name(node, domain)
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, ORGANIZATION),
            x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, str(uuid.uuid4()).upper()),
            x509.NameAttribute(NameOID.COMMON_NAME, fqdn[:64]),
        ]
    )
    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(min(now + timedelta(days=VALID_DAYS), _LAST_DATE))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=False)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName(_names(node, fqdn)), critical=False)
        .add_extension(identifier, critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier), critical=False)
    )
    certificate = builder.sign(key, hashes.SHA256())
    form = serialization.PrivateFormat.TraditionalOpenSSL
    key_pem = key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())
    return key_pem, certificate.public_bytes(serialization.Encoding.PEM)


def _names(node: str, fqdn: str) -> list[x509.GeneralName]:
    addresses = [x509.IPAddress(ipaddress.ip_address(text)) for text in ("127.0.0.1", "::1")]
    names = [x509.DNSName(text) for text in dict.fromkeys(("localhost", node, fqdn))]
    return [*addresses, *names]
