"""Evaluation of the access control list (auth.md 7)."""

import pytest

from pbstore.access.acl_tree import AclTree
from pbstore.access.privileges import PRIVILEGES
from pbstore.access.roles import ROLES
from pbstore.config.acl_cfg import AclEntry
from pbstore.model.auth_id import AuthId

A = AuthId.parse("a@pbs")
TOKEN = AuthId.parse("a@pbs!t")
ROOT = AuthId.parse("root@pam")
STORE = "/datastore/store1"


def tree(*entries: tuple[str, str, str] | tuple[str, str, str, bool]) -> AclTree:
    return AclTree(AclEntry(*entry) for entry in entries)


def test_roles_name_known_privileges_only() -> None:
    for privileges in ROLES.values():
        assert privileges <= set(PRIVILEGES)
    assert len(PRIVILEGES) == len(set(PRIVILEGES)) == 23


def test_nobody_has_anything_without_entries() -> None:
    assert tree().privileges(A, "/") == frozenset()


def test_the_superuser_has_everything_but_its_tokens_only_what_they_are_given() -> None:
    assert tree().privileges(ROOT, STORE) == set(PRIVILEGES)
    token = AuthId.parse("root@pam!t")
    assert tree().privileges(token, STORE) == frozenset()
    assert tree((STORE, "root@pam!t", "DatastoreBackup")).privileges(token, STORE) == {"Datastore.Backup"}


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/", set()),
        ("/datastore", {"Datastore.Audit"}),
        (STORE, {"Datastore.Audit"}),
        (STORE + "/ns1/ns2", {"Datastore.Audit"}),
        ("/system", set()),
        ("/datastorex", set()),
    ],
)
def test_propagation(path: str, expected: set[str]) -> None:
    assert tree(("/datastore", "a@pbs", "DatastoreAudit")).privileges(A, path) == expected


def test_without_propagation_only_the_path_itself_counts() -> None:
    rights = tree((STORE, "a@pbs", "DatastoreBackup", False))
    assert rights.privileges(A, STORE) == {"Datastore.Backup"}
    assert rights.granted(A, STORE).propagated == frozenset()
    assert rights.privileges(A, STORE + "/ns1") == frozenset()


def test_without_propagation_at_the_root() -> None:
    rights = tree(("/", "a@pbs", "Audit", False))
    assert rights.privileges(A, "/") == {"Sys.Audit", "Datastore.Audit"}
    assert rights.privileges(A, "/system") == frozenset()


def test_a_deeper_entry_replaces_what_came_from_above() -> None:
    rights = tree(("/", "a@pbs", "Admin"), (STORE, "a@pbs", "DatastoreAudit"))
    assert rights.privileges(A, STORE) == {"Datastore.Audit"}
    assert rights.privileges(A, "/datastore/other") == set(PRIVILEGES)


def test_a_deeper_entry_of_somebody_else_replaces_nothing() -> None:
    rights = tree(("/", "a@pbs", "Admin"), (STORE, "b@pbs", "DatastoreAudit"))
    assert rights.privileges(A, STORE) == set(PRIVILEGES)


def test_a_deeper_entry_that_does_not_propagate_replaces_only_there() -> None:
    rights = tree(("/", "a@pbs", "Admin"), (STORE, "a@pbs", "DatastoreAudit", False))
    assert rights.privileges(A, STORE) == {"Datastore.Audit"}
    assert rights.privileges(A, STORE + "/ns1") == set(PRIVILEGES)


def test_several_roles_add_up() -> None:
    rights = tree((STORE, "a@pbs", "DatastoreBackup"), (STORE, "a@pbs", "DatastoreAudit", False))
    assert rights.privileges(A, STORE) == {"Datastore.Backup", "Datastore.Audit"}
    assert rights.privileges(A, STORE + "/n") == {"Datastore.Backup"}


def test_no_access_takes_all_away() -> None:
    rights = tree(("/", "a@pbs", "Admin"), (STORE, "a@pbs", "NoAccess"), (STORE, "a@pbs", "DatastoreAdmin"))
    assert rights.privileges(A, STORE) == frozenset()
    assert rights.privileges(A, STORE + "/n") == frozenset()


def test_a_role_of_another_version_grants_nothing_and_still_replaces() -> None:
    rights = tree(("/", "a@pbs", "Admin"), (STORE, "a@pbs", "FutureRole"))
    assert rights.privileges(A, STORE) == frozenset()


def test_groups_have_no_members() -> None:
    assert tree(("/", "@admins", "Admin")).privileges(A, "/") == frozenset()


def test_a_token_has_what_both_it_and_its_user_have() -> None:
    rights = tree(
        (STORE, "a@pbs", "DatastoreAudit"),
        (STORE, "a@pbs", "DatastoreBackup", False),
        (STORE, "a@pbs!t", "DatastoreAdmin"),
    )
    assert rights.privileges(TOKEN, STORE) == {"Datastore.Audit", "Datastore.Backup"}
    assert rights.granted(TOKEN, STORE).propagated == {"Datastore.Audit"}
    assert rights.privileges(AuthId.parse("a@pbs!other"), STORE) == frozenset()


def test_anything_below() -> None:
    rights = tree((STORE + "/ns1/ns2", "a@pbs", "DatastoreBackup"))
    assert rights.any_below(A, STORE, ["Datastore.Audit", "Datastore.Backup"])
    assert rights.any_below(A, STORE + "/ns1/ns2/ns3", ["Datastore.Backup"])
    assert not rights.any_below(A, STORE, ["Datastore.Read"])
    assert not rights.any_below(A, "/datastore/other", ["Datastore.Backup"])
    assert not rights.any_below(AuthId.parse("b@pbs"), STORE, ["Datastore.Backup"])


def test_paths() -> None:
    rights = tree(("/", "a@pbs", "Audit"), (STORE + "/n", "a@pbs", "Audit"))
    assert rights.paths == ["/", "/datastore/store1/n"]


def test_a_deep_path_needs_no_deep_stack() -> None:
    path = "/x" * 5000
    assert tree((path, "a@pbs", "Audit")).any_below(A, "/", ["Sys.Audit"])
