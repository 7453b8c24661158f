"""Where the files made by the original programs are, and the datastores among them unpacked.

They lie outside the project: PBSTORE_FIXTURES names the directory, by default `../shared/fixtures` beside the checkout.
"""

import lzma
import os
from pathlib import Path

import pytest

from pbstore._core import CryptKey
from pbstore.format.key_file import KeyFile
from reference.original_store import OriginalStore
from unpack import unpack

DEFAULT_FIXTURES = Path(__file__).parents[3] / "shared" / "fixtures"


def _release(name: str) -> Path:
    path = Path(os.environ.get("PBSTORE_FIXTURES", DEFAULT_FIXTURES)) / name
    if not path.is_dir():
        pytest.skip(f"no files of the original {name} at {path}: set PBSTORE_FIXTURES to the directory that has them")
    return path


@pytest.fixture(scope="session")
def fixtures_323() -> Path:
    """The directory of files made by release 3.2.4."""
    return _release("3.2.4")


@pytest.fixture(scope="session")
def fixtures_423() -> Path:
    """The directory of files made by release 4.2.3."""
    return _release("4.2.3")


@pytest.fixture(scope="session")
def datastore_323(fixtures_323: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A datastore written by 3.2.4, shared by all tests: copy it before changing anything."""
    return unpack(fixtures_323 / "datastore.tar.xz", tmp_path_factory.mktemp("datastore-3.2.4"))


@pytest.fixture(scope="session")
def datastore_423(fixtures_423: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A datastore written by 4.2.3, shared by all tests: copy it before changing anything."""
    return unpack(fixtures_423 / "datastore.tar.xz", tmp_path_factory.mktemp("datastore-4.2.3"))


@pytest.fixture(scope="session")
def default_archive(fixtures_323: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The archive of all kinds of entries made by 3.2.4."""
    path = tmp_path_factory.mktemp("pxar") / "default.pxar"
    path.write_bytes(lzma.decompress((fixtures_323 / "pxar" / "default.pxar.xz").read_bytes()))
    return path


@pytest.fixture(scope="session")
def store_323(datastore_323: Path, fixtures_323: Path) -> OriginalStore:
    """The datastore of 3.2.4 with its key."""
    return OriginalStore(datastore_323, CryptKey(KeyFile.load(fixtures_323 / "keys" / "none.json").open(lambda: "")))


@pytest.fixture(scope="session")
def store_423(datastore_423: Path, fixtures_423: Path) -> OriginalStore:
    """The datastore of 4.2.3 with its key."""
    return OriginalStore(datastore_423, CryptKey(KeyFile.load(fixtures_423 / "keys" / "enc.json").open(lambda: "")))


@pytest.fixture(params=["323", "423"])
def original_store(request: pytest.FixtureRequest) -> OriginalStore:
    """The datastores of both releases, one after the other."""
    store: OriginalStore = request.getfixturevalue(f"store_{request.param}")
    return store
