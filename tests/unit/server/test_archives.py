"""Files inside archives over REST: who may have them, and what is refused (rest-api.md 5)."""

import base64
from pathlib import Path

import pytest

from pbstore import _core
from pbstore._core import FileBody
from pbstore.config.maintenance_mode import Operation
from pbstore.datastore.datastore import Datastore
from pbstore.model.auth_id import AuthId
from pbstore.model.crypt_mode import CryptMode
from unit.datastore.archive_factory import make_archive_snapshot, make_archives
from unit.server.application_site import START, Answer, Site

STORE = "/api2/json/admin/datastore/main"
PLACE = {"backup-type": "host", "backup-id": "elsa", "backup-time": int(START)}


@pytest.fixture
def datastore(site: Site, tmp_path: Path) -> Datastore:
    """The same tree as host/elsa of archiver@pbs, host/foreign of john@pbs, and host/sealed, said to be encrypted."""
    datastore = site.registry.datastores.get("main", Operation.WRITE)
    archives = make_archives(tmp_path / "archives")
    for backup_id, owner in (("elsa", "archiver@pbs"), ("foreign", "john@pbs"), ("sealed", "archiver@pbs")):
        mode = CryptMode.ENCRYPT if backup_id == "sealed" else CryptMode.NONE
        text = f"host/{backup_id}/2026-06-01T08:00:00Z"
        make_archive_snapshot(datastore, text, archives, owner=AuthId.parse(owner), crypt_mode=mode)
    return datastore


def ask(site: Site, user: str, method: str, path: str, **options: object) -> Answer:
    parameters: dict[str, object] = {**PLACE, "filepath": base64.b64encode(path.encode()).decode()}
    words = {name.replace("_", "-"): value for name, value in options.items()}
    return site.call("GET", f"{STORE}/{method}", parameters | words, headers=site.login(user))


METHODS = pytest.mark.parametrize("method", ["catalog", "pxar-file-download"])


@METHODS
@pytest.mark.usefixtures("datastore")
def test_read_is_for_all_groups_and_backup_for_own_ones(site: Site, method: str) -> None:
    path = "/root.pxar.didx/etc"
    assert ask(site, "admin", method, path).status == 200
    assert ask(site, "admin", method, path, backup_id="foreign").status == 200
    assert ask(site, "archiver", method, path).status == 200
    answer = ask(site, "archiver", method, path, backup_id="foreign")
    assert (answer.status, answer.text) == (400, "backup owner check failed (archiver@pbs != john@pbs)")
    assert ask(site, "nobody", method, path).status == 403


@METHODS
@pytest.mark.usefixtures("datastore")
@pytest.mark.parametrize("name", ["root.pxar.didx", "root.pxar", "split.mpxar.didx", "split.mpxar"])
def test_archives_have_two_names(site: Site, method: str, name: str) -> None:
    assert ask(site, "admin", method, "/etc", archive_name=name).status == 200


@METHODS
@pytest.mark.usefixtures("datastore")
@pytest.mark.parametrize("name", ["root.pxar.didx", "split.mpxar.didx"])
def test_encrypted_archives_are_refused(site: Site, method: str, name: str) -> None:
    answer = ask(site, "admin", method, "/etc", backup_id="sealed", archive_name=name)
    assert (answer.status, answer.text) == (400, f"cannot decode '{name}' - is encrypted")


@pytest.mark.usefixtures("datastore")
def test_an_encrypted_catalog_is_refused(site: Site) -> None:
    answer = ask(site, "admin", "catalog", "/", backup_id="sealed")
    assert (answer.status, answer.text) == (400, "cannot decode 'catalog.pcat1.didx' - is encrypted")


@METHODS
@pytest.mark.usefixtures("datastore")
@pytest.mark.parametrize(
    ("options", "status"),
    [
        ({"backup_time": 1}, 400),
        ({"backup_id": "nobody"}, 400),
        ({"archive_name": "root.ppxar.didx"}, 400),
        ({"archive_name": "../root.pxar.didx"}, 400),
        ({"archive_name": "nope.pxar.didx"}, 400),
        ({"archive_name": "what"}, 400),
        ({"store": "other"}, 400),
        ({"tar": "perhaps"}, 400),
    ],
)
def test_wrong_parameters(site: Site, method: str, options: dict[str, object], status: int) -> None:
    assert ask(site, "admin", method, "/etc", **options).status == status


@pytest.mark.usefixtures("datastore")
def test_the_catalog_and_the_archive_say_the_same(site: Site) -> None:
    def listed(path: str, **options: object) -> list[tuple[object, ...]]:
        items = ask(site, "admin", "catalog", path, **options).data
        return [tuple(item.get(key) for key in ("text", "type", "leaf", "size", "mtime")) for item in items]

    assert [item[:3] for item in listed("/")] == [("root.pxar.didx", "d", False)]
    assert [item[:3] for item in listed("root.pxar.didx/etc/")] == [("hosts", "f", True), ("link", "l", True)]
    for name in ("root.pxar.didx", "split.mpxar.didx"):
        assert listed("/etc", archive_name=name) == listed("/root.pxar.didx/etc")
        assert listed("/", archive_name=name) == listed("/root.pxar.didx")


@pytest.mark.usefixtures("datastore")
@pytest.mark.parametrize("path", ["/nope", "/etc/hosts", "/etc/../etc", "/etc/hosts/x", "/root.pxar.didx"])
def test_what_is_no_directory_cannot_be_listed(site: Site, path: str) -> None:
    assert ask(site, "admin", "catalog", path, archive_name="root.pxar.didx").status == 400
    assert ask(site, "admin", "catalog", "/root.pxar.didx" + path).status == 400


@pytest.mark.usefixtures("datastore")
@pytest.mark.parametrize("path", ["", "/", "nope", "/etc/hosts", "/\udcff"])
def test_a_path_without_archive(site: Site, path: str) -> None:
    encoded = base64.b64encode(path.encode(errors="surrogateescape")).decode()
    parameters = {**PLACE, "filepath": encoded}
    answer = site.call("GET", f"{STORE}/pxar-file-download", parameters, headers=site.login("admin"))
    assert answer.status == 400
    assert "begin with the name of an archive" in answer.text


@pytest.mark.usefixtures("datastore")
def test_a_download_counts_until_it_is_over(site: Site) -> None:
    for path, options, size in (("etc/hosts", {}, 20), ("etc", {}, None), ("etc", {"tar": 1}, None)):
        answer = ask(site, "archiver", "pxar-file-download", f"/root.pxar.didx/{path}", **options)
        assert isinstance(answer.body, FileBody)
        assert answer.body.size == size
        counts = site.call("GET", f"{STORE}/active-operations", headers=site.login("admin"))
        assert counts.data == {"read": 1, "write": 0}
        del answer
        counts = site.call("GET", f"{STORE}/active-operations", headers=site.login("admin"))
        assert counts.data == {"read": 0, "write": 0}


@METHODS
def test_damage_is_said(site: Site, datastore: Datastore, method: str) -> None:
    directory = datastore.path / "host" / "elsa" / "2026-06-01T08:00:00Z"
    for name in ("root.pxar.didx", "catalog.pcat1.didx"):
        digest = _core.DynamicIndex.parse((directory / name).read_bytes()).digest(0).hex()
        (datastore.path / ".chunks" / digest[:4] / digest).write_bytes(_core.seal_blob(b"something else"))
    answer = ask(site, "admin", method, "/root.pxar.didx/etc")
    assert answer.status == 400
    assert "chunk " in answer.text
    (directory / "root.pxar.didx").write_bytes((directory / "split.mpxar.didx").read_bytes())
    answer = ask(site, "admin", method, "/etc", archive_name="root.pxar.didx")
    assert answer.status == 400
    assert answer.text.startswith("root.pxar.didx: ")
