"""The self-made certificate (protocol-transport.md 2)."""

import hashlib
import ssl
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from pbstore.config.certificate import ensure_certificate, make_certificate
from pbstore.config.certificate_facts import certificate_facts
from pbstore.config.host_name import full_name, search_domain
from pbstore.config.roots import Roots
from pbstore.errors import ConfigError


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Roots:
    """A certificate is made once: it takes seconds."""
    roots = Roots.below(tmp_path_factory.mktemp("certificate"))
    roots.prepare()
    results: list[bool] = []
    threads = [
        threading.Thread(target=lambda: results.append(ensure_certificate(roots, "pbs", "example.org")))
        for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == [False, True]
    return roots


def test_facts(made: Roots) -> None:
    facts = certificate_facts(made.certificate)
    assert facts.subject == facts.issuer
    assert facts.subject.startswith("O = Proxmox Backup Server, OU = ")
    assert facts.subject.endswith(", CN = pbs.example.org")
    assert facts.alternative_names == (
        "IP:[127, 0, 0, 1]",
        "IP:[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]",
        "DNS:localhost",
        "DNS:pbs",
        "DNS:pbs.example.org",
    )
    assert facts.not_after - facts.not_before == timedelta(days=365000)
    assert abs(facts.not_before - datetime.now(UTC)) < timedelta(minutes=5)
    assert (facts.key_type, facts.key_bits) == ("rsaEncryption", 4096)
    der = ssl.PEM_cert_to_DER_cert(made.certificate.read_text())
    assert facts.fingerprint.value == hashlib.sha256(der).digest()


def test_extensions(made: Roots) -> None:
    certificate = x509.load_pem_x509_certificate(made.certificate.read_bytes())
    extensions = certificate.extensions
    assert not extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    assert extensions.get_extension_for_class(x509.SubjectKeyIdentifier)
    assert extensions.get_extension_for_class(x509.AuthorityKeyIdentifier)
    assert certificate.version is x509.Version.v3
    assert certificate.signature_hash_algorithm
    assert certificate.signature_hash_algorithm.name == "sha256"


def test_key_and_certificate_fit_and_are_not_public(made: Roots) -> None:
    ssl.create_default_context().load_cert_chain(made.certificate, made.certificate_key)
    assert made.certificate_key.read_bytes().startswith(b"-----BEGIN RSA PRIVATE KEY-----")
    assert made.certificate_key.stat().st_mode & 0o777 == 0o640


def test_an_existing_pair_is_kept(made: Roots) -> None:
    before = made.certificate.read_bytes()
    assert not ensure_certificate(made, "other")
    assert made.certificate.read_bytes() == before


def test_a_host_without_domain_is_named_once() -> None:
    _, pem = make_certificate("vm", None, datetime.now(UTC))
    names = x509.load_pem_x509_certificate(pem).extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["localhost", "vm"]


def test_no_certificate(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="made when the server starts"):
        certificate_facts(tmp_path / "proxy.pem")
    (tmp_path / "x.pem").write_bytes(b"x")
    with pytest.raises(ConfigError, match="no PEM certificate"):
        certificate_facts(tmp_path / "x.pem")


@pytest.mark.parametrize(
    ("content", "domain"),
    [
        ("search a.example b.example\n", "a.example"),
        ("domain a.\nnameserver 1.1.1.1\n", "a"),
        ("", None),
        ("search\n", None),
    ],
)
def test_search_domain(tmp_path: Path, content: str, domain: str | None) -> None:
    (tmp_path / "resolv.conf").write_text(content)
    assert search_domain(tmp_path / "resolv.conf") == domain
    assert full_name("pbs", domain) == (f"pbs.{domain}" if domain else "pbs")


def test_no_resolv_conf(tmp_path: Path) -> None:
    assert search_domain(tmp_path / "resolv.conf") is None
