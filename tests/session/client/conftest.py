"""A server for all tests of a file, and what is backed up to it."""

import random
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from memory_directory import memory_directory
from pbstore.config.roots import Roots
from pbstore.datastore.creation import create_datastore
from running_server import RunningServer
from session.client.client_site import BLOCK, MIB, TOKEN, ClientSite


@pytest.fixture(scope="module")
def store_path() -> Iterator[Path]:
    """One store for all tests of a file, as making it takes seconds."""
    with memory_directory() as directory:
        create_datastore(directory / "main", [])
        yield directory / "main"


def start_site(root: Path, certificate: Roots, store_path: Path) -> ClientSite:
    server = RunningServer(root)
    for path in (certificate.certificate, certificate.certificate_key):
        (server.roots.config_dir / path.name).write_bytes(path.read_bytes())
    server.add_datastore("main", store_path)
    server.create_user("archiver@pbs", "Archiver12345")
    secret = server.create_token(TOKEN)
    for auth_id in ("archiver@pbs", TOKEN):
        server.grant("/datastore/main", auth_id, "DatastoreBackup")
    server.start()
    return ClientSite(server, store_path, secret)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, server_certificate: Roots, store_path: Path) -> Iterator[ClientSite]:
    """A server for all tests that leave it alive."""
    made = start_site(tmp_path_factory.mktemp("client-site"), server_certificate, store_path)
    yield made
    made.server.stop(signal.SIGKILL)


@pytest.fixture
def mortal(site: ClientSite) -> Iterator[ClientSite]:
    """The server, to be killed; it is started again afterwards."""
    yield site
    site.server.stop(signal.SIGKILL)
    site.server.start()


@pytest.fixture
def image(tmp_path: Path) -> Path:
    """Noise, text, a hole of 12 MiB, a repeated block and a short end."""
    noise = random.Random(7).randbytes(BLOCK)  # noqa: S311
    path = tmp_path / "image"
    with path.open("wb") as file:
        file.write(noise + b"text " * MIB)
        file.seek(6 * BLOCK)
        file.write(noise + b"end")
    return path


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A few megabytes in files, links and directories."""
    root, rng = tmp_path / "tree", random.Random(3)  # noqa: S311
    (root / "deep" / "er").mkdir(parents=True)
    for number in range(40):
        (root / "deep" / f"file-{number}").write_bytes(rng.randbytes(rng.randrange(600_000)))
    (root / "empty").touch()
    (root / "link").symlink_to("deep/file-1")
    (root / "hard").hardlink_to(root / "deep" / "file-2")
    (root / "zeros").write_bytes(bytes(20 * MIB))
    return root
