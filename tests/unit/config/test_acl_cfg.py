"""`acl.cfg`: reading, changing, and the original's way of writing it (config-files.md 3)."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pbstore.config.acl_cfg import AclEntry, AclFile, render
from pbstore.config.roots import Roots
from pbstore.errors import ConfigError


@pytest.fixture
def roots(tmp_path: Path) -> Roots:
    roots = Roots.below(tmp_path)
    roots.prepare()
    return roots


def test_order_and_grouping() -> None:
    entries = {
        AclEntry("/datastore/b", "x@pbs", "Audit"),
        AclEntry("/", "b@pbs", "Admin"),
        AclEntry("/", "a@pbs", "Audit"),
        AclEntry("/", "a@pbs", "Admin"),
        AclEntry("/", "b@pbs", "Audit"),
        AclEntry("/", "c@pbs", "Audit", False),
        AclEntry("/datastore", "x@pbs", "Admin"),
        AclEntry("/datastore", "x@pbs", "NoAccess"),
        AclEntry("/datastore/b/n", "y@pbs!t", "Audit"),
        AclEntry("/datastore/a", "root@pam!t", "Audit"),
        AclEntry("/datastore/a", "root@pam", "Audit"),
    }
    assert render(entries).decode().splitlines() == [
        "acl:0:/:c@pbs:Audit",
        "acl:1:/:a@pbs,b@pbs:Admin,Audit",
        "acl:1:/datastore:x@pbs:NoAccess",
        "acl:1:/datastore/a:root@pam!t:Audit",
        "acl:1:/datastore/b:x@pbs:Audit",
        "acl:1:/datastore/b/n:y@pbs!t:Audit",
    ]


def test_grant_and_revoke(roots: Roots) -> None:
    file = AclFile(roots)
    with file.edit() as edit:
        edit.grant("/", "a@pbs", "Audit")
        edit.grant("/", "a@pbs", "Admin", propagate=False)
    assert file.load().entries == {AclEntry("/", "a@pbs", "Audit"), AclEntry("/", "a@pbs", "Admin", False)}
    with file.edit(file.load().digest) as edit:
        edit.grant("/", "a@pbs", "Admin")
        edit.revoke("/", "a@pbs", "Audit")
    assert (roots.config_dir / "acl.cfg").read_text() == "acl:1:/:a@pbs:Admin\n"


def test_no_access_and_other_roles_replace_each_other(roots: Roots) -> None:
    with AclFile(roots).edit() as edit:
        edit.grant("/", "a@pbs", "Audit")
        edit.grant("/", "a@pbs", "NoAccess")
        assert edit.entries == {AclEntry("/", "a@pbs", "NoAccess")}
        edit.grant("/", "a@pbs", "Audit")
        assert edit.entries == {AclEntry("/", "a@pbs", "Audit")}


def test_dropping_an_id_and_a_path(roots: Roots) -> None:
    with AclFile(roots).edit() as edit:
        for path in ("/datastore/a", "/datastore/a/n", "/datastore/ab"):
            edit.grant(path, "a@pbs", "Audit")
            edit.grant(path, "b@pbs", "Audit")
        edit.drop_path("/datastore/a")
        edit.drop("b@pbs")
        assert edit.entries == {AclEntry("/datastore/ab", "a@pbs", "Audit")}


@pytest.mark.parametrize(
    "line",
    [
        "acl:2:/:a@pbs:Admin",
        "acl:1:/:a@pbs",
        "acl:1:/:a@pbs:Admin:x",
        "acl:1:x:a@pbs:Admin",
        "acl:1:/a/../b:a@pbs:Admin",
        "acl:1:/::Admin",
        "acl:1:/:a@pbs:",
        "rule:1:/:a@pbs:Admin",
        "# comment",
    ],
)
def test_damaged_lines_stop_everything(roots: Roots, line: str) -> None:
    (roots.config_dir / "acl.cfg").write_text(f"\nacl:1:/:b@pbs:Audit\n{line}\n")
    with pytest.raises(ConfigError, match=r"acl\.cfg:3: "):
        AclFile(roots).load()


entries = st.builds(
    AclEntry,
    st.sampled_from(["/", "/a", "/a/b", "/ab"]),
    st.sampled_from(["a@pbs", "b@pbs", "a@pbs!t", "@g"]),
    st.sampled_from(["Admin", "Audit", "DatastoreBackup"]),
    st.booleans(),
)


@given(st.frozensets(entries))
def test_round_trip(tmp_path_factory: pytest.TempPathFactory, wanted: frozenset[AclEntry]) -> None:
    roots = Roots.below(tmp_path_factory.mktemp("acl"))
    roots.prepare()
    (roots.config_dir / "acl.cfg").write_bytes(render(wanted))
    assert AclFile(roots).load().entries == wanted
    assert render(AclFile(roots).load().entries) == render(wanted)
