"""Adding, changing and removing storages: secrets, activation, rights (pve-storage.md 2)."""

import base64
import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from pbstore.errors import ConfigError, NotFoundError, PbstoreError
from pbstore.format.key_file import KeyFile
from pbstore.pve.value_types import Value
from unit.pve.storage_site import StorageSite

PBS: dict[str, Value] = {"server": "a.example", "datastore": "main", "username": "u@pbs", "password": "geheim-1"}
SECTION = "pbs: b1\n\tdatastore main\n\tserver a.example\n\tusername u@pbs\n\n"
KEY_FILE = KeyFile.create(bytes(range(32)), created=0)
KEY = KEY_FILE.encode().decode()
PEM = generate_private_key(65537, 2048).public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
MASTER = base64.b64encode(PEM).decode()


def modes(directory: Path) -> set[int]:
    return {path.stat().st_mode & 0o777 for path in directory.iterdir()}


def test_add(site: StorageSite) -> None:
    result = site.changes.create("b1", "pbs", PBS)
    assert result.describe() == {"storage": "b1", "type": "pbs", "config": {}}
    assert site.text == SECTION
    assert site.secret_files == {"b1.pw": "geheim-1\n"}
    assert modes(site.host.secrets_dir) == {0o600}
    assert site.host.secrets_dir.stat().st_mode & 0o777 == 0o700
    assert site.host.secrets_dir.parent.stat().st_mode & 0o777 == 0o700
    assert site.host.storage_cfg.stat().st_mode & 0o777 == 0o640
    assert site.activated == ["b1"]


def test_the_lock_lies_beside_the_secrets_and_is_gone(site: StorageSite) -> None:
    site.changes.create("b1", "pbs", PBS)
    assert list(site.host.locks_dir.iterdir()) == []


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({**PBS, "shared": True}, "create storage failed: unexpected property 'shared'"),
        ({**PBS, "path": "/x"}, "create storage failed: unexpected property 'path'"),
        ({"server": "a"}, "create storage failed: missing value for required option 'datastore'"),
        ({"datastore": "a"}, "create storage failed: missing value for required option 'server'"),
        ({**PBS, "master-pubkey": MASTER}, "'master-pubkey' can only be used together with 'encryption-key'"),
        ({**PBS, "encryption-key": "{}"}, "Value does not seems like a valid, JSON formatted encryption key!"),
        ({**PBS, "encryption-key": "no"}, "Value does not seems like a valid, JSON formatted encryption key!"),
        ({**PBS, "encryption-key": '{"kdf":{"Scrypt":{}},"data":"x"}'}, "protected by a password"),
        ({**PBS, "encryption-key": KEY, "master-pubkey": "%"}, "'master-pubkey' is not valid base64"),
        ({**PBS, "encryption-key": KEY, "master-pubkey": "eHh4"}, "master public key is no PEM file"),
        ({**PBS, "password": "a\nb"}, "property 'password' contains a line feed"),
    ],
)
def test_what_cannot_be_added_leaves_nothing_behind(site: StorageSite, given: dict[str, Value], message: str) -> None:
    with pytest.raises(PbstoreError) as caught:
        site.changes.create("b1", "pbs", given)
    assert message in str(caught.value)
    assert str(caught.value).startswith("create storage failed: ")
    assert not site.host.storage_cfg.exists()
    assert site.secret_files == {}


def test_a_storage_that_cannot_be_reached_is_not_added(site: StorageSite) -> None:
    site.refusal = PbstoreError("b1: Cannot find datastore 'main', check permissions and existence!")
    given = {**PBS, "encryption-key": "autogen"}
    with pytest.raises(PbstoreError, match="create storage failed: b1: Cannot find datastore 'main'"):
        site.changes.create("b1", "pbs", given)
    assert site.secret_files == {}
    assert not site.host.storage_cfg.exists()


@pytest.mark.parametrize("given", [{"disable": True}, {"nodes": ("pve7",)}])
def test_a_storage_that_is_not_for_this_node_is_not_tried(site: StorageSite, given: dict[str, Value]) -> None:
    site.refusal = PbstoreError("unreachable")
    site.changes.create("b1", "pbs", {**PBS, **given})
    assert site.activated == []


def test_an_id_is_used_once_and_its_secrets_stay(site: StorageSite) -> None:
    site.changes.create("b1", "pbs", PBS)
    with pytest.raises(ConfigError, match="create storage failed: storage ID 'b1' already defined"):
        site.changes.create("b1", "pbs", {**PBS, "password": "other"})
    assert site.secret_files == {"b1.pw": "geheim-1\n"}


def test_secrets_of_an_earlier_storage_of_that_name_go(site: StorageSite) -> None:
    site.host.secrets_dir.mkdir(parents=True)
    for suffix in ("pw", "enc", "enc.old", "master.pem"):
        (site.host.secrets_dir / f"b1.{suffix}").write_text("old")
    site.changes.create("b1", "pbs", {key: value for key, value in PBS.items() if key != "password"})
    assert site.secret_files == {"b1.enc.old": "old"}


def test_a_key_is_stored_as_it_was_given_and_marked_by_its_fingerprint(site: StorageSite) -> None:
    result = site.changes.create("b1", "pbs", {**PBS, "encryption-key": KEY, "master-pubkey": MASTER})
    assert result.config == {"encryption-key": KEY}
    assert site.secret_files == {"b1.pw": "geheim-1\n", "b1.enc": f"{KEY}\n", "b1.master.pem": f"{PEM.decode()}\n"}
    storage = site.storage("b1")
    assert storage.text("encryption-key") == str(KEY_FILE.fingerprint)
    assert storage.text("master-pubkey") == "1"
    assert modes(site.host.secrets_dir) == {0o600}


@pytest.mark.parametrize("fingerprint", [None, "", "x\n\tport 1", 7])
def test_a_key_without_a_proper_fingerprint_is_marked_all_the_same(site: StorageSite, fingerprint: object) -> None:
    key = {"kdf": None, "data": "x", "fingerprint": fingerprint}
    site.changes.create("b1", "pbs", {**PBS, "encryption-key": json.dumps(key)})
    assert site.storage("b1").text("encryption-key") == "1"


def test_a_generated_key_and_its_rotation(site: StorageSite) -> None:
    site.changes.create("b1", "pbs", PBS)
    first = site.changes.update("b1", {"encryption-key": "autogen"}).describe()["config"]
    assert isinstance(first, dict)
    key = KeyFile.parse(site.secret_files["b1.enc"].encode())
    assert json.loads(site.secret_files["b1.enc"])["kdf"] is None
    assert first == {"encryption-key": site.secret_files["b1.enc"]}
    assert site.storage("b1").text("encryption-key") == str(key.fingerprint)
    before = site.secret_files["b1.enc"]
    site.changes.update("b1", {"encryption-key": "autogen"})
    assert site.secret_files["b1.enc.old"] == before
    assert site.secret_files["b1.enc"] != before
    assert modes(site.host.secrets_dir) == {0o600}
    site.changes.update("b1", {}, ["encryption-key"])
    assert site.storage("b1").text("encryption-key") is None
    assert sorted(site.secret_files) == ["b1.enc.old", "b1.pw"]


def test_a_master_key_needs_an_encryption_key_on_update_too(site: StorageSite) -> None:
    site.changes.create("b1", "pbs", PBS)
    with pytest.raises(PbstoreError, match="'master-pubkey' can only be used together with 'encryption-key'"):
        site.changes.update("b1", {"master-pubkey": MASTER})
    site.changes.update("b1", {"encryption-key": KEY})
    site.changes.update("b1", {"master-pubkey": MASTER})
    with pytest.raises(PbstoreError, match="can only be used together"):
        site.changes.update("b1", {"master-pubkey": MASTER}, ["encryption-key"])
    site.changes.update("b1", {}, ["master-pubkey"])
    assert "b1.master.pem" not in site.secret_files


def test_update_touches_only_what_is_given(site: StorageSite) -> None:
    site.changes.create("b1", "pbs", {**PBS, "encryption-key": KEY})
    before = site.secret_files
    result = site.changes.update("b1", {"nodes": ("pve1", "pve2"), "disable": True, "prune-backups": "keep-last=3"})
    assert result.describe() == {"storage": "b1", "type": "pbs", "config": {}}
    assert site.secret_files == before
    assert site.text == (
        f"pbs: b1\n\tdisable\n\tdatastore main\n\tserver a.example\n\tencryption-key {KEY_FILE.fingerprint}\n"
        "\tnodes pve1,pve2\n\tprune-backups keep-last=3\n\tusername u@pbs\n\n"
    )
    assert site.activated == ["b1"]
    site.changes.update("b1", {"password": "new"}, ["nodes", "disable"])
    assert site.secret_files["b1.pw"] == "new\n"
    site.changes.update("b1", {}, ["password"])
    assert "b1.pw" not in site.secret_files


@pytest.mark.parametrize(
    ("given", "delete", "message"),
    [
        ({"server": "a.example"}, [], "can't change value of fixed parameter 'server'"),
        ({"shared": False}, [], "unexpected property 'shared'"),
        ({}, ["shared"], "no such option 'shared'"),
        ({}, ["server"], "unable to delete required option 'server'"),
        ({"port": 1}, ["port"], "cannot set and delete property 'port' at the same time!"),
    ],
)
def test_what_cannot_be_changed(site: StorageSite, given: dict[str, Value], delete: list[str], message: str) -> None:
    site.changes.create("b1", "pbs", PBS)
    with pytest.raises(ConfigError) as caught:
        site.changes.update("b1", given, delete)
    assert str(caught.value) == f"update storage failed: {message}"
    assert site.text == SECTION


def test_a_fixed_option_of_a_directory(site: StorageSite) -> None:
    site.changes.create("d1", "dir", {"path": "/srv/x/", "snapshot-as-volume-chain": True})
    assert site.text == "dir: d1\n\tpath /srv/x\n\tsnapshot-as-volume-chain 1\n\n"
    with pytest.raises(ConfigError, match="unable to delete fixed option 'snapshot-as-volume-chain'"):
        site.changes.update("d1", {}, ["snapshot-as-volume-chain"])
    with pytest.raises(ConfigError, match="illegal path for directory storage: /a b"):
        site.changes.create("d2", "dir", {"path": "/a b"})


def test_content_that_a_storage_cannot_hold_is_a_warning(site: StorageSite) -> None:
    site.changes.create("b1", "pbs", PBS)
    site.changes.update("b1", {"content": ("images",)})
    assert site.warnings == ["storage does not support content type 'images'"]
    assert site.storage("b1").content == ()
    assert "\tcontent none\n" in site.text
    site.changes.update("b1", {}, ["content"])
    assert site.storage("b1").content == ("backup",)


def test_the_old_name_of_retention_is_taken(site: StorageSite) -> None:
    site.changes.create("b1", "pbs", {**PBS, "maxfiles": 2})
    assert site.storage("b1").text("prune-backups") == "keep-last=2"


def test_an_update_with_an_old_digest_changes_no_secret(site: StorageSite) -> None:
    site.changes.create("b1", "pbs", PBS)
    with pytest.raises(ConfigError, match="update storage failed: detected modified configuration"):
        site.changes.update("b1", {"password": "new"}, digest="0" * 40)
    assert site.secret_files["b1.pw"] == "geheim-1\n"


def test_remove(site: StorageSite) -> None:
    site.changes.create("b1", "pbs", {**PBS, "encryption-key": KEY, "master-pubkey": MASTER})
    site.changes.update("b1", {"encryption-key": "autogen"})
    site.changes.create("b2", "pbs", PBS)
    site.changes.delete("b1")
    assert site.text == SECTION.replace("b1", "b2")
    assert site.secret_files == {"b1.enc.old": f"{KEY}\n", "b2.pw": "geheim-1\n"}
    for change in (lambda: site.changes.delete("b1"), lambda: site.changes.update("b1", {})):
        with pytest.raises(NotFoundError, match="storage failed: storage 'b1' does not exist"):
            change()


def test_removal_takes_rights_and_memberships_with_it(site: StorageSite) -> None:
    kept = "user:root@pam:1:0:::::\n\ngroup:ops:u@pve::\n\n# by hand\nacl:1:/storage/b11:u@pve:PVEDatastoreUser:\n"
    site.host.user_cfg.write_text(
        f"{kept}acl:1:/storage/b1:u@pve:PVEDatastoreUser:\nacl:0:/storage/b1/:@ops:NoAccess:\n"
        "pool:prod::100,101:b1,b11:\npool:test:::b1:"
    )
    site.changes.create("b1", "pbs", PBS)
    site.changes.delete("b1")
    assert site.host.user_cfg.read_text() == f"{kept}pool:prod::100,101:b11:\npool:test::::"
