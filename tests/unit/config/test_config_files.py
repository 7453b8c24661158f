"""Datastores and users in their files: typed, locked, guarded by the digest."""

from pathlib import Path

import pytest

from pbstore.config.datastore_cfg import DatastoreConfig, DatastoreFile
from pbstore.config.roots import Roots
from pbstore.config.user_cfg import SUPERUSER, TokenConfig, UserConfig, UserFile
from pbstore.errors import ConfigError
from pbstore.model.auth_id import AuthId, UserId


@pytest.fixture
def roots(tmp_path: Path) -> Roots:
    roots = Roots.below(tmp_path)
    roots.prepare()
    return roots


def test_roots_below_a_directory(tmp_path: Path) -> None:
    roots = Roots.below(tmp_path)
    assert roots.config_dir == tmp_path / "etc/proxmox-backup"
    assert roots.run_dir == tmp_path / "run/proxmox-backup"
    assert roots.pve_dir == tmp_path / "etc/pve"
    assert Roots.below(tmp_path, pve=Path("/shared")).pve_dir == Path("/shared")
    assert Roots.system().auth_log == Path("/var/log/proxmox-backup/api/auth.log")


def test_the_configuration_directory_is_private(roots: Roots) -> None:
    assert roots.config_dir.stat().st_mode & 0o777 == 0o700


def test_datastores(roots: Roots) -> None:
    file = DatastoreFile(roots)
    assert file.load().datastores == {}
    with file.edit() as edit:
        edit.put(DatastoreConfig("store1", {"path": "/a", "comment": "x y", "verify-new": True, "keep-last": 3}))
    assert (roots.config_dir / "datastore.cfg").read_bytes() == (
        b"datastore: store1\n\tcomment x y\n\tkeep-last 3\n\tpath /a\n\tverify-new true\n"
    )
    config = file.load().get("store1")
    assert (config.path, config.comment, config.verify_new) == (Path("/a"), "x y", True)
    with file.edit(file.load().digest) as edit:
        edit.put(config.changed({"comment": None, "maintenance-mode": "offline"}))
    config = file.load().get("store1")
    assert config.comment is None
    assert config.maintenance_mode
    with file.edit() as edit:
        edit.remove("store1")
    with pytest.raises(ConfigError, match="no such datastore 'store1'"):
        file.load().get("store1")


def test_a_changed_file_is_not_overwritten(roots: Roots) -> None:
    file = DatastoreFile(roots)
    digest = file.load().digest
    with file.edit() as edit:
        edit.put(DatastoreConfig("store1", {"path": "/a"}))
    with pytest.raises(ConfigError, match="modified configuration"), file.edit(digest):
        pass


def test_a_failed_edit_writes_nothing(roots: Roots) -> None:
    file = DatastoreFile(roots)
    with pytest.raises(ConfigError), file.edit() as edit:
        edit.put(DatastoreConfig("store1", {"path": "/a"}))
        edit.remove("store2")
    assert not (roots.config_dir / "datastore.cfg").exists()


def test_unknown_keys_and_types_are_warnings_and_survive(roots: Roots) -> None:
    path = roots.config_dir / "datastore.cfg"
    path.write_bytes(b"datastore: store1\n\tpath /a\n\tfuture yes\n\ncloud: x\n\ty z\n")
    file = DatastoreFile(roots)
    assert [str(warning) for warning in file.load().warnings] == [
        f"{path}:3: unknown key 'future' is ignored",
        f"{path}:5: section of unknown type 'cloud' is ignored",
    ]
    with file.edit() as edit:
        edit.put(edit.current.get("store1").changed({"comment": "x"}))
    assert path.read_bytes() == b"datastore: store1\n\tcomment x\n\tfuture yes\n\tpath /a\n\ncloud: x\n\ty z\n"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("datastore: store1\n\tcomment x\n", ":1: datastore 'store1': no 'path'"),
        ("datastore: store1\n\tpath /a\n\tpath /b\n", ":3: datastore 'store1': 'path' comes twice"),
        ("datastore: store1\n\tpath /a\n\tverify-new maybe\n", ":3: .*no boolean"),
        ("datastore: store1\n\tpath /a\n\tkeep-last ten\n", ":3: .*no integer"),
        ("datastore: store1\n\tpath /a\n\ttuning chunk-order=x\n", ":1: invalid tuning"),
        ("datastore: s\n\tpath /a\n", ":1: invalid datastore name"),
    ],
)
def test_damaged_files_name_the_line(roots: Roots, content: str, reason: str) -> None:
    (roots.config_dir / "datastore.cfg").write_text(content)
    with pytest.raises(ConfigError, match=reason):
        DatastoreFile(roots).load()


def test_users_and_tokens(roots: Roots) -> None:
    file = UserFile(roots)
    john, token = UserId.parse("john@pbs"), AuthId.parse("john@pbs!t1")
    with file.edit() as edit:
        edit.put_user(UserConfig(user=john, email="j@example.com", expire=100))
    with file.edit() as edit:
        edit.put_token(TokenConfig(auth_id=token, enable=False))
    assert (roots.config_dir / "user.cfg").read_bytes() == (
        b"user: john@pbs\n\temail j@example.com\n\texpire 100\n\ntoken: john@pbs!t1\n\tenable false\n"
    )
    users = file.load()
    assert users.users[john].email == "j@example.com"
    assert users.tokens_of(john) == [TokenConfig(auth_id=token, enable=False)]
    with file.edit() as edit:
        edit.remove_user(john)
    assert file.load().tokens == {}
    assert (roots.config_dir / "user.cfg").read_bytes() == b""


@pytest.mark.parametrize(
    ("auth_id", "now", "active"),
    [
        ("root@pam", 0, True),
        ("a@pbs", 99, True),
        ("a@pbs", 100, False),
        ("off@pbs", 0, False),
        ("off@pbs!t", 0, False),
        ("a@pbs!t", 0, True),
        ("a@pbs!t", 50, False),
        ("a@pbs!unknown", 0, False),
        ("unknown@pbs", 0, False),
    ],
)
def test_who_is_active(roots: Roots, auth_id: str, now: int, active: bool) -> None:
    (roots.config_dir / "user.cfg").write_text(
        "user: a@pbs\n\texpire 100\n\nuser: off@pbs\n\tenable 0\n\ntoken: off@pbs!t\n\ntoken: a@pbs!t\n\texpire 50\n"
    )
    assert UserFile(roots).load().is_active(AuthId.parse(auth_id), now) is active


def test_the_superuser_is_always_there(roots: Roots) -> None:
    assert UserFile(roots).load().users[SUPERUSER].comment == "Superuser"
    with pytest.raises(ConfigError), UserFile(roots).edit() as edit:
        edit.remove_user(SUPERUSER)


@pytest.mark.parametrize("content", ["user: nobody\n", "user: a@pbs!t\n", "token: a@pbs\n"])
def test_ids_of_the_wrong_kind(roots: Roots, content: str) -> None:
    (roots.config_dir / "user.cfg").write_text(content)
    with pytest.raises(ConfigError, match=r"user\.cfg:1: "):
        UserFile(roots).load()


def test_tokens_need_their_user(roots: Roots) -> None:
    with pytest.raises(ConfigError, match="no such user"), UserFile(roots).edit() as edit:
        edit.put_token(TokenConfig(auth_id=AuthId.parse("a@pbs!t")))


def test_errors_of_the_file_system_are_configuration_errors(roots: Roots) -> None:
    (roots.config_dir / "user.cfg").mkdir()
    with pytest.raises(ConfigError, match="cannot read"):
        UserFile(roots).load()
