"""An application over a small configuration."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from pbstore.config.datastore_cfg import DatastoreConfig, DatastoreFile
from pbstore.config.roots import Roots
from pbstore.config.shadow import ShadowFile
from pbstore.config.user_cfg import UserConfig, UserFile
from pbstore.model.auth_id import AuthId
from running_server import RunningServer
from unit.server.application_site import PASSWORDS, Site

SESSION_TYPES = ("backup", "reader")
"""Their tasks end with a connection, of which there is none here."""


def lay_out_store(path: Path) -> None:
    """Make a directory that is enough of a store for everything but chunks."""
    (path / ".chunks").mkdir(parents=True)
    (path / ".lock").touch()


@pytest.fixture(scope="session")
def prepared_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Users with passwords, whose hashes take their time to make; copied by each test."""
    roots = Roots.below(tmp_path_factory.mktemp("prepared"))
    roots.prepare()
    with UserFile(roots).edit() as edit:
        for name in PASSWORDS:
            edit.put_user(UserConfig(user=AuthId.parse(f"{name}@pbs").user))
    for name, password in PASSWORDS.items():
        ShadowFile(roots).set_password(name, password)
    return roots.config_dir


@pytest.fixture
def site(tmp_path: Path, prepared_root: Path) -> Iterator[Site]:
    """admin@pbs may do all, archiver@pbs back up to `main`, nobody@pbs nothing."""
    files = RunningServer(tmp_path)
    for name in ("user.cfg", "shadow.json"):
        (files.roots.config_dir / name).write_bytes((prepared_root / name).read_bytes())
    files.grant("/", "admin@pbs", "Admin")
    files.grant("/datastore/main", "archiver@pbs", "DatastoreBackup")
    lay_out_store(tmp_path / "main")
    with DatastoreFile(files.roots).edit() as edit:
        edit.put(DatastoreConfig("main", {"path": str(tmp_path / "main"), "comment": "the store"}))
    site = Site(files.roots)
    yield site
    for task in site.registry.tasks.running():
        assert task.upid.worker_type in SESSION_TYPES or task.wait(30), task.upid
    site.registry.close()
