"""Reads and rewrites the configuration, task history and keys that release 4.2.3 left behind."""

import base64
import re
import subprocess
from pathlib import Path

import pytest

from pbstore.access.acl_tree import AclTree
from pbstore.config.acl_cfg import AclEntry, AclFile, render
from pbstore.config.auth_key import load_or_create_auth_key
from pbstore.config.certificate_facts import certificate_facts, certificate_fingerprint
from pbstore.config.csrf_key import load_or_create_csrf_key
from pbstore.config.datastore_cfg import DatastoreFile
from pbstore.config.roots import Roots
from pbstore.config.shadow import ShadowFile
from pbstore.config.token_shadow import TokenShadowFile
from pbstore.config.user_cfg import UserFile
from pbstore.model.auth_id import AuthId
from pbstore.model.upid import Upid
from pbstore.tasks.task_index import TaskIndex
from pbstore.tasks.task_log import log_path, read_end
from unpack import unpack

PASSWORDS = {
    "test": "Test12345",
    "reader": "Reader12345",
    "nobody": "Nobody12345",
    "off": "Disabled12345",
}


@pytest.fixture
def roots(fixtures_423: Path, tmp_path: Path) -> Roots:
    """The original's directories, below one of ours."""
    roots = Roots.below(tmp_path)
    for name, target in (("etc-proxmox-backup", "etc"), ("var-log-proxmox-backup", "var/log")):
        unpack(fixtures_423 / f"{name}.tar.xz", tmp_path / target)
    return roots


def test_datastores(roots: Roots) -> None:
    path = roots.config_dir / "datastore.cfg"
    before = path.read_bytes()
    loaded = DatastoreFile(roots).load()
    assert list(loaded.datastores) == ["fix42", "bad", "copy", "pushed"]
    assert loaded.warnings == ()
    fix42 = loaded.get("fix42")
    assert (fix42.comment, fix42.gc_schedule, fix42.path) == ("fixture store", "sat 03:00", Path("/tmp/fx42/ds"))  # noqa: S108
    assert loaded.get("pushed").verify_new
    with DatastoreFile(roots).edit(loaded.digest) as edit:
        for config in loaded.datastores.values():
            edit.put(config)
    assert path.read_bytes() == before


def test_a_changed_section_is_written_as_the_original_writes_it(roots: Roots) -> None:
    path = roots.config_dir / "datastore.cfg"
    before = path.read_bytes()
    for comment in ("something else", "fixture store"):
        with DatastoreFile(roots).edit() as edit:
            edit.put(edit.current.get("fix42").changed({"comment": comment}))
    assert path.read_bytes() == before


def test_users(roots: Roots) -> None:
    path = roots.config_dir / "user.cfg"
    before = path.read_bytes()
    users = UserFile(roots).load()
    assert sorted(map(str, users.users)) == ["nobody@pbs", "off@pbs", "reader@pbs", "root@pam", "test@pbs"]
    assert sorted(map(str, users.tokens)) == ["test@pbs!notok", "test@pbs!tok"]
    assert users.warnings == ()
    now = 1_790_000_000
    assert users.is_active(AuthId.parse("test@pbs!tok"), now)
    assert users.is_active(AuthId.parse("nobody@pbs"), now)
    assert not users.is_active(AuthId.parse("nobody@pbs"), 1_900_000_000)
    assert not users.is_active(AuthId.parse("off@pbs"), now)
    with UserFile(roots).edit() as edit:
        for user in users.users.values():
            edit.put_user(user)
        for token in users.tokens.values():
            edit.put_token(token)
    assert path.read_bytes() == before


def test_access_control_list(roots: Roots) -> None:
    entries = AclFile(roots).load().entries
    assert entries == {
        AclEntry("/", "test@pbs", "Admin"),
        AclEntry("/datastore/fix42", "reader@pbs", "DatastoreReader"),
        AclEntry("/datastore/fix42", "test@pbs!tok", "DatastoreAudit"),
        AclEntry("/datastore/fix42/ns1", "reader@pbs", "DatastoreBackup", False),
    }
    assert render(entries) == (roots.config_dir / "acl.cfg").read_bytes()
    rights = AclTree(entries)
    reader, token = AuthId.parse("reader@pbs"), AuthId.parse("test@pbs!tok")
    assert rights.privileges(reader, "/datastore/fix42/ns1") == {"Datastore.Backup"}
    assert "Datastore.Read" in rights.privileges(reader, "/datastore/fix42/ns1/sub")
    assert rights.privileges(token, "/datastore/fix42") == {"Datastore.Audit"}
    assert rights.privileges(token, "/datastore/bad") == frozenset()


def test_passwords(roots: Roots) -> None:
    shadow = ShadowFile(roots)
    for name, password in PASSWORDS.items():
        assert shadow.verify(name, password)
        assert not shadow.verify(name, password + "x")


def test_rewriting_the_passwords_keeps_the_form(roots: Roots) -> None:
    path = roots.config_dir / "shadow.json"
    before = path.read_text()
    shadow = ShadowFile(roots)
    shadow.set_password("new", "password 1")
    shadow.remove("new")
    assert path.read_text() == before


def test_token_secrets(roots: Roots, fixtures_423: Path) -> None:
    text = (fixtures_423 / "cli/token.txt").read_text()
    found = re.findall(r'"tokenid": "(\S+)",\s+"value": "(\S+)"', text)
    assert len(found) == 2
    tokens = TokenShadowFile(roots)
    before = (roots.config_dir / "token.shadow").read_text()
    for name, secret in found:
        assert tokens.verify(AuthId.parse(name), secret)
    assert not tokens.verify(AuthId.parse(found[0][0]), found[1][1])
    tokens.generate(AuthId.parse("x@pbs!new"))
    tokens.remove(AuthId.parse("x@pbs!new"))
    assert (roots.config_dir / "token.shadow").read_text() == before


def test_keys(roots: Roots) -> None:
    before = {path.name: path.read_bytes() for path in roots.config_dir.iterdir() if path.is_file()}
    key = load_or_create_auth_key(roots)
    csrf_key = load_or_create_csrf_key(roots)
    assert len(csrf_key) == 64
    assert base64.b64encode(csrf_key).rstrip(b"=") == before["csrf.key"].rstrip(b"=")
    public = subprocess.run(
        ["openssl", "pkey", "-in", roots.config_dir / "authkey.key", "-pubout"], stdout=subprocess.PIPE, check=True
    ).stdout
    assert public == before["authkey.pub"]
    (roots.config_dir / "authkey.pub").unlink()
    assert key.sign(b"x") == load_or_create_auth_key(roots).sign(b"x")
    assert (roots.config_dir / "authkey.pub").read_bytes() == before["authkey.pub"]


def test_certificate(roots: Roots) -> None:
    facts = certificate_facts(roots.certificate)
    shown = subprocess.run(
        ["openssl", "x509", "-in", roots.certificate, "-noout", "-fingerprint", "-sha256"],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    ).stdout
    assert str(facts.fingerprint) == shown.partition("=")[2].strip().lower()
    assert certificate_fingerprint(roots.certificate) == facts.fingerprint
    assert (facts.key_type, facts.key_bits) == ("rsaEncryption", 4096)


def test_certificate_information_of_324(fixtures_323: Path) -> None:
    facts = certificate_facts(fixtures_323 / "api/proxy.pem")
    lines = (fixtures_323 / "api/cert-info.txt").read_text().splitlines()
    assert lines[0] == f"Subject: {facts.subject}"
    assert lines[1:5] == [f"    {name}" for name in facts.alternative_names]
    assert lines[5] == f"Issuer: {facts.issuer}"
    assert f"Fingerprint (sha256): {facts.fingerprint}" in lines
    assert f"Public key bits: {facts.key_bits}" in lines


def test_task_history(roots: Roots) -> None:
    index = TaskIndex(roots.tasks_dir)
    lines = (roots.tasks_dir / "archive").read_text().splitlines()
    finished = list(index.finished())
    assert [f"{task.upid} {task.end.end_time:08X} {task.end.status}" for task in reversed(finished)] == lines
    for task in finished:
        end = read_end(log_path(roots.tasks_dir, task.upid))
        assert end
        assert end.status == task.end.status
        assert index.end(task.upid) == end


def test_names_of_task_logs(roots: Roots) -> None:
    names = [path.name for path in roots.tasks_dir.glob("??/UPID*")]
    assert len(names) > 100
    for name in names:
        upid = Upid.parse(name)
        assert str(upid) == name
        assert log_path(roots.tasks_dir, upid).is_file()
