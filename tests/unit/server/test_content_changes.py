"""Changing what lies in a store, and who may do it (rest-api.md 5, version-4.md 0)."""

from collections.abc import Mapping

import pytest

from pbstore.config.maintenance_mode import Operation
from pbstore.config.user_cfg import TokenConfig, UserConfig, UserFile
from pbstore.datastore import locks
from pbstore.datastore.datastore import Datastore
from pbstore.datastore.groups import read_owner
from pbstore.datastore.namespaces import create_namespace, has_namespace
from pbstore.datastore.snapshots import set_protected
from pbstore.model.auth_id import AuthId
from pbstore.model.backup import BackupGroup
from pbstore.model.namespace import Namespace
from running_server import RunningServer
from unit.datastore.snapshot_factory import ROOT, make_snapshot
from unit.server.application_site import START, Answer, Site

STORE = "/api2/json/admin/datastore/main"
ARCHIVER, JOHN = AuthId.parse("archiver@pbs"), AuthId.parse("john@pbs")
FIRST = int(START)
ELSA = {"backup-type": "host", "backup-id": "elsa"}
VM = {"backup-type": "vm", "backup-id": "100"}
NOBODY = {"backup-type": "host", "backup-id": "nogroup"}
NS = Namespace.parse("ns1")


@pytest.fixture
def datastore(site: Site) -> Datastore:
    """host/elsa of archiver@pbs, vm/100 of somebody else, a namespace."""
    datastore = site.registry.datastores.get("main", Operation.WRITE)
    for day in (1, 2):
        make_snapshot(datastore, f"host/elsa/2026-06-0{day}T08:00:00Z", owner=ARCHIVER)
        make_snapshot(datastore, f"vm/100/2026-06-0{day}T08:00:00Z", owner=JOHN)
    create_namespace(datastore, NS)
    return datastore


def give(site: Site, user: str, role: str, path: str = "/datastore/main") -> None:
    RunningServer(site.roots.base).grant(path, f"{user}@pbs", role)


def ask(site: Site, user: str, method: str, path: str, parameters: Mapping[str, object]) -> Answer:
    return site.call(method, f"{STORE}/{path}", parameters, headers=site.login(user))


@pytest.mark.usefixtures("datastore")
@pytest.mark.parametrize(("path", "more"), [("notes", {"backup-time": FIRST}), ("group-notes", {})])
def test_notes(site: Site, path: str, more: dict[str, object]) -> None:
    of_group = {**ELSA, **more}
    assert ask(site, "archiver", "GET", path, of_group).data == ""
    text = "first line ü\nsecond line"
    assert ask(site, "archiver", "PUT", path, {**of_group, "notes": text}).data is None
    assert ask(site, "admin", "GET", path, of_group).data == text
    listing = "snapshots" if more else "groups"
    items = ask(site, "admin", "GET", listing, {}).data
    # The original leaves the line end where the notes are those of a group.
    comment = "first line ü" if more else "first line ü\n"
    assert [item["comment"] for item in items if "comment" in item] == [comment]
    assert ask(site, "archiver", "PUT", path, {**of_group, "notes": ""}).data is None
    assert ask(site, "archiver", "GET", path, of_group).data == ""


@pytest.mark.usefixtures("datastore")
def test_long_notes(site: Site) -> None:
    text = "x" * 200_000
    assert ask(site, "admin", "PUT", "notes", {**ELSA, "backup-time": FIRST, "notes": text}).status == 200
    assert ask(site, "admin", "GET", "notes", {**ELSA, "backup-time": FIRST}).data == text


def test_notes_of_a_group_in_use(site: Site, datastore: Datastore) -> None:
    with locks.lock_group(datastore, ROOT, BackupGroup.parse("host/elsa")):
        answer = ask(site, "admin", "PUT", "group-notes", {**ELSA, "notes": "x"})
    assert (answer.status, "unable to acquire lock" in answer.text) == (400, True)


@pytest.mark.usefixtures("datastore")
def test_protection(site: Site) -> None:
    snapshot = {**ELSA, "backup-time": FIRST}
    assert ask(site, "archiver", "GET", "protected", snapshot).data is False
    assert ask(site, "archiver", "PUT", "protected", {**snapshot, "protected": "true"}).data is None
    assert ask(site, "archiver", "GET", "protected", snapshot).data is True
    refused = ask(site, "admin", "DELETE", "snapshots", snapshot)
    assert (refused.status, refused.text) == (400, "failed to delete snapshot - cannot remove protected snapshot")
    assert ask(site, "archiver", "PUT", "protected", {**snapshot, "protected": "0"}).data is None
    assert ask(site, "admin", "DELETE", "snapshots", snapshot).data is None
    assert ask(site, "archiver", "GET", "protected", snapshot).status == 400


CHANGES = [
    ("PUT", "notes", {"backup-time": FIRST, "notes": "x"}),
    ("PUT", "group-notes", {"notes": "x"}),
    ("PUT", "protected", {"backup-time": FIRST, "protected": 1}),
    ("GET", "notes", {"backup-time": FIRST}),
    ("GET", "group-notes", {}),
    ("GET", "protected", {"backup-time": FIRST}),
    ("DELETE", "snapshots", {"backup-time": FIRST}),
    ("DELETE", "groups", {}),
]


@pytest.mark.usefixtures("datastore")
@pytest.mark.parametrize(("method", "path", "more"), CHANGES)
def test_only_own_groups(site: Site, method: str, path: str, more: dict[str, object]) -> None:
    give(site, "archiver", "DatastorePowerUser")
    refused = ask(site, "archiver", method, path, {**VM, **more})
    assert (refused.status, refused.text) == (400, "backup owner check failed (archiver@pbs != john@pbs)")
    assert ask(site, "archiver", method, path, {**ELSA, **more}).status == 200


@pytest.mark.usefixtures("datastore")
@pytest.mark.parametrize(("method", "path"), [("DELETE", "snapshots"), ("DELETE", "groups")])
def test_backup_alone_removes_nothing(site: Site, method: str, path: str) -> None:
    parameters = {**ELSA, **({"backup-time": FIRST} if path == "snapshots" else {})}
    answer = ask(site, "archiver", method, path, parameters)
    assert answer.status == 403
    assert answer.text == "permission check failed - missing Datastore.Modify|Datastore.Prune on /datastore/main"


@pytest.mark.usefixtures("datastore")
@pytest.mark.parametrize("user", ["admin", "archiver"])
@pytest.mark.parametrize(("method", "path"), [("DELETE", "groups"), ("PUT", "group-notes")])
def test_a_missing_group_is_an_enoent(site: Site, user: str, method: str, path: str) -> None:
    """C12: clients look for this text to print a short message."""
    give(site, "archiver", "DatastorePowerUser")
    answer = ask(site, user, method, path, {**NOBODY, **({"notes": "x"} if method == "PUT" else {})})
    assert (answer.status, "ENOENT: No such file or directory" in answer.text) == (400, True)


@pytest.mark.usefixtures("datastore")
def test_errors_are_one_line(site: Site) -> None:
    """D8: however many causes they have."""
    snapshot = {**ELSA, "backup-time": 7}
    for method, path, parameters in (
        ("DELETE", "snapshots", snapshot),
        ("GET", "notes", snapshot),
        ("PUT", "group-notes", {**NOBODY, "notes": "x"}),
        ("POST", "move-group", {**ELSA, "target-ns": "nope"}),
        ("DELETE", "namespace", {}),
    ):
        answer = ask(site, "admin", method, path, parameters)
        assert (answer.status, "\n" in answer.text) == (400, False), answer


def test_removals_are_counted(site: Site, datastore: Datastore) -> None:
    """D5: an object instead of null; protected leftovers are an error unless told otherwise."""
    set_protected(datastore, ROOT, make_snapshot(datastore, "host/elsa/2026-06-03T08:00:00Z"), True)
    assert ask(site, "admin", "DELETE", "groups", VM).data == {
        "removed-groups": 1,
        "removed-snapshots": 2,
        "protected-snapshots": 0,
    }
    refused = ask(site, "admin", "DELETE", "groups", ELSA)
    assert (refused.status, refused.text) == (400, "group only partially deleted due to protected snapshots")
    counts = {"removed-groups": 0, "removed-snapshots": 0, "protected-snapshots": 1}
    assert ask(site, "admin", "DELETE", "groups", {**ELSA, "error-on-protected": "false"}).data == counts


def test_namespaces_too(site: Site, datastore: Datastore) -> None:
    """D5: the same for namespaces."""
    set_protected(datastore, NS, make_snapshot(datastore, "host/x/2026-06-03T08:00:00Z", namespace=NS), True)
    make_snapshot(datastore, "host/y/2026-06-03T08:00:00Z", namespace=NS)
    parameters = {"ns": "ns1", "delete-groups": 1}
    refused = ask(site, "admin", "DELETE", "namespace", parameters)
    assert (refused.status, refused.text) == (400, "group only partially deleted due to protected snapshots")
    counts = {"removed-groups": 0, "removed-snapshots": 0, "protected-snapshots": 1}
    assert ask(site, "admin", "DELETE", "namespace", {**parameters, "error-on-protected": 0}).data == counts
    set_protected(datastore, NS, make_snapshot(datastore, "host/x/2026-06-04T08:00:00Z", namespace=NS), False)
    assert has_namespace(datastore, NS)


def test_the_empty_parent_is_the_root(site: Site, datastore: Datastore) -> None:
    """C10: in the body of POST namespace."""
    body = b'{"parent":"","name":"x"}'
    headers = {**site.login("admin"), "content-type": "application/json"}
    assert site.call("POST", f"{STORE}/namespace", headers=headers, body=body).data == "x"
    assert has_namespace(datastore, Namespace.parse("x"))


@pytest.mark.parametrize("parameters", [{"name": "x"}, {"name": "x", "parent": "ns1"}])
def test_namespaces_need_modify_on_the_parent(site: Site, datastore: Datastore, parameters: dict[str, object]) -> None:
    assert ask(site, "archiver", "POST", "namespace", parameters).status == 403
    give(site, "archiver", "DatastoreAdmin", "/datastore/main/ns1")
    assert ask(site, "archiver", "POST", "namespace", parameters).status == (200 if "parent" in parameters else 403)
    path = f"{parameters['parent']}/x" if "parent" in parameters else "ns1"
    status = 200 if "parent" in parameters else 403
    assert ask(site, "archiver", "DELETE", "namespace", {"ns": path}).status == status
    assert has_namespace(datastore, NS)


@pytest.mark.usefixtures("datastore")
def test_the_root_namespace_stays(site: Site) -> None:
    answer = ask(site, "admin", "DELETE", "namespace", {"delete-groups": 1})
    assert (answer.status, answer.text) == (400, "Cannot create/delete root namespace!")


@pytest.fixture
def accounts(site: Site) -> None:
    """Tokens of the archiver, one of them disabled, and another user."""
    with UserFile(site.roots).edit() as edit:
        edit.put_user(UserConfig(user=JOHN.user))
        edit.put_token(TokenConfig(auth_id=AuthId.parse("archiver@pbs!tok")))
        edit.put_token(TokenConfig(auth_id=AuthId.parse("archiver@pbs!off"), enable=False))


@pytest.mark.usefixtures("accounts")
@pytest.mark.parametrize(
    ("user", "group", "owner", "status"),
    [
        ("admin", VM, "archiver@pbs", 200),
        ("admin", ELSA, "archiver@pbs!tok", 200),
        ("admin", ELSA, "ghost@pbs", 400),
        ("admin", ELSA, "archiver@pbs!off", 400),
        ("archiver", ELSA, "archiver@pbs!tok", 200),
        ("archiver", ELSA, "john@pbs", 400),
        ("archiver", VM, "archiver@pbs", 400),
        ("archiver", NOBODY, "archiver@pbs", 400),
        ("nobody", ELSA, "nobody@pbs", 403),
    ],
)
def test_change_owner(
    site: Site, datastore: Datastore, user: str, group: dict[str, str], owner: str, status: int
) -> None:
    answer = ask(site, user, "POST", "change-owner", {**group, "new-owner": owner})
    assert answer.status == status, answer
    if status == 200:
        named = BackupGroup.parse(f"{group['backup-type']}/{group['backup-id']}")
        assert read_owner(datastore, ROOT, named) == AuthId.parse(owner)


@pytest.mark.parametrize(
    ("source", "target", "expected"),
    [
        (None, None, 403),
        ("DatastorePowerUser", None, 403),
        (None, "DatastoreBackup", 403),
        ("DatastorePowerUser", "DatastoreBackup", 200),
        ("DatastoreAdmin", "DatastoreAdmin", 200),
    ],
)
def test_rights_to_move_an_own_group(
    site: Site, datastore: Datastore, source: str | None, target: str | None, expected: int
) -> None:
    give(site, "archiver", "NoAccess")
    if source is not None:
        give(site, "nobody", source)
    if target is not None or source is not None:
        give(site, "nobody", target or "NoAccess", "/datastore/main/ns1")
    make_snapshot(datastore, "ct/7/2026-06-01T08:00:00Z", owner=AuthId.parse("nobody@pbs"))
    answer = ask(site, "nobody", "POST", "move-group", {"backup-type": "ct", "backup-id": "7", "target-ns": "ns1"})
    assert answer.status == expected, answer


@pytest.mark.parametrize("roles", [("DatastorePowerUser", "DatastoreAdmin"), ("DatastoreAdmin", "DatastoreBackup")])
@pytest.mark.usefixtures("datastore")
def test_foreign_groups_need_modify_on_both_sides(site: Site, roles: tuple[str, str]) -> None:
    give(site, "nobody", roles[0])
    give(site, "nobody", roles[1], "/datastore/main/ns1")
    answer = ask(site, "nobody", "POST", "move-group", {**VM, "target-ns": "ns1"})
    assert (answer.status, answer.text) == (400, "backup owner check failed (nobody@pbs != john@pbs)")


@pytest.mark.usefixtures("datastore")
def test_moving_namespaces_needs_modify_on_both_parents(site: Site) -> None:
    parameters: dict[str, object] = {"ns": "ns1", "target-ns": "x"}
    give(site, "nobody", "DatastoreAdmin", "/datastore/main/ns1")
    assert ask(site, "nobody", "POST", "move-namespace", parameters).status == 403
    give(site, "nobody", "DatastoreAdmin")
    assert ask(site, "nobody", "POST", "move-namespace", parameters).status == 200


def test_what_runs_is_shown(site: Site) -> None:
    assert ask(site, "admin", "GET", "active-operations", {}).data == {"read": 0, "write": 0}
    with site.registry.datastores.using("main", Operation.READ):
        assert ask(site, "admin", "GET", "active-operations", {}).data == {"read": 1, "write": 0}
    assert ask(site, "archiver", "GET", "active-operations", {}).status == 403


@pytest.mark.usefixtures("datastore")
def test_a_download_counts_until_it_is_over(site: Site) -> None:
    parameters = {**ELSA, "backup-time": FIRST, "file-name": "vm.conf.blob"}
    for path in ("download", "download-decoded"):
        answer = ask(site, "archiver", "GET", path, parameters)
        assert answer.file_size > 0
        assert ask(site, "admin", "GET", "active-operations", {}).data == {"read": 1, "write": 0}
        del answer
        assert ask(site, "admin", "GET", "active-operations", {}).data == {"read": 0, "write": 0}
    assert ask(site, "archiver", "GET", "download", {**parameters, "file-name": "nope.blob"}).status == 400
    assert ask(site, "admin", "GET", "active-operations", {}).data == {"read": 0, "write": 0}
