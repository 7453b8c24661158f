"""Fixtures for fronts on real TLS sockets, and for scripts of session calls on a real datastore."""

import datetime
import ipaddress
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from front_site import Site, TinyApplication
from memory_directory import memory_directory
from pbstore._core import ChunkStore, Front
from pbstore.config.datastore_cfg import DatastoreConfig
from pbstore.config.roots import Roots
from pbstore.datastore.datastore import Datastore
from session.session_script import Calls, Made, Store, first, then


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Make a certificate and its key for localhost."""
    directory = tmp_path_factory.mktemp("certificate")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    chain, private = directory / "proxy.pem", directory / "proxy.key"
    chain.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
        )
    )
    return chain, private


@pytest.fixture(scope="session")
def datastore() -> Iterator[Path]:
    """Lay out one chunk store for all tests."""
    with memory_directory() as directory:
        ChunkStore.create(directory)
        yield directory


@pytest.fixture
def site(certificate: tuple[Path, Path], datastore: Path, tmp_path: Path) -> Iterator[Site]:
    """Start a front on a free port; a refused chunk is told at once."""
    application = TinyApplication()
    chain, key = certificate
    front = Front(application, certificate=chain, private_key=key, memory_bytes=80 << 20, denied_delay_seconds=0)
    address = front.listen("127.0.0.1", 0)
    made = Site(front, application, address, ChunkStore(datastore, sync_level="none"), datastore, tmp_path)
    yield made
    for client in made.clients:
        client.socket.close()
    front.shutdown(0)


@pytest.fixture(scope="session")
def opened_store(datastore: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """Open the store as a datastore; each script uses groups of its own."""
    roots = Roots.below(tmp_path_factory.mktemp("roots"))
    roots.prepare()
    config = DatastoreConfig("main", {"path": str(datastore), "tuning": "sync-level=none"})
    opened = Datastore.open(config, roots.locks_dir)
    yield Store(opened, roots)
    opened.close()


@pytest.fixture
def store(opened_store: Store) -> Iterator[Store]:
    """The store, for one script."""
    yield opened_store
    opened_store.end_sessions()


@pytest.fixture
def base(store: Store) -> Made:
    """A finished snapshot."""
    return store.finished(first(store))


@pytest.fixture
def calls(store: Store, base: Made) -> Calls:
    """A session on top of `base`."""
    return store.backup(then(base.snapshot))
