"""Every reader of files takes any content: a value comes out, or an error of ours."""

import contextlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given

from memory_directory import memory_directory
from near_misses import near_bytes
from pbstore import _core
from pbstore.client.fingerprint_cache import FingerprintCache
from pbstore.client.ticket_cache import TicketCache
from pbstore.config.acl_cfg import AclFile
from pbstore.config.auth_key import load_or_create_auth_key
from pbstore.config.csrf_key import load_or_create_csrf_key
from pbstore.config.datastore_cfg import DatastoreFile
from pbstore.config.roots import Roots
from pbstore.config.section_config import SectionFile
from pbstore.config.shadow import ShadowFile
from pbstore.config.tfa_json import TfaFile
from pbstore.config.token_shadow import TokenShadowFile
from pbstore.config.user_cfg import UserFile
from pbstore.errors import PbstoreError
from pbstore.format.key_file import KeyFile
from pbstore.format.manifest import Manifest
from pbstore.format.master_key import load_public_key
from pbstore.format.paper_key import PaperKey
from pbstore.model.auth_id import AuthId, UserId
from pbstore.tasks.task_index import TaskIndex
from pbstore.tasks.task_log import read_end, read_log

ROOT = UserId("root", "pam")
UPID = b"UPID:pbs1:00000C3F:00002A1B:0000001C:6553F100:backup:store1\\x3avm-100:root@pam:"
KEY = _core.CryptKey(bytes(32))
PEM = b"-----BEGIN %s-----\nQQ==\n-----END %s-----\n"
DYNAMIC_INDEX = _core.DynamicIndex.encode([(1, bytes(32))], uuid=bytes(16), ctime=1)
FIXED_INDEX = _core.FixedIndex.encode([bytes(32)], 1, uuid=bytes(16), ctime=1)
PRIVATE_PEM = b"""-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f
-----END PRIVATE KEY-----
"""
MANIFEST = {
    "backup-type": "vm",
    "backup-id": "100",
    "backup-time": 1700000000,
    "files": [{"filename": "a.img.fidx", "crypt-mode": "none", "size": 1, "csum": "ab" * 32}],
    "signature": "cd" * 32,
    "unprotected": {"key-fingerprint": ":".join(["ab"] * 32), "notes": "x"},
}


def key_file() -> bytes:
    return KeyFile.create(bytes(range(32)), created=1_700_000_000).encode()


def check_manifest(data: bytes) -> None:
    manifest = Manifest.parse(data)
    with contextlib.suppress(PbstoreError):
        manifest.check_signature(KEY)
    assert Manifest.parse(manifest.encode()).files == manifest.files


def check_key_file(data: bytes) -> None:
    key = KeyFile.parse(data)
    KeyFile.parse(key.encode())
    if key.kdf is None:
        key.open(lambda: "")


def check_sections(data: bytes) -> None:
    file = SectionFile.parse(data, Path("a.cfg"))
    assert file.render() == data
    for section in file.sections:
        file.put(section.section_type, section.section_id, [("key", "value")])
    SectionFile.parse(file.render(), Path("a.cfg"))


CONTENTS: dict[str, tuple[Callable[[bytes], Any], tuple[bytes, ...]]] = {
    "manifest": (check_manifest, (json.dumps(MANIFEST).encode(), json.dumps(MANIFEST, indent=2).encode())),
    "key file": (check_key_file, (key_file(), b'{"kdf":{"Scrypt":{"n":2,"r":1,"p":1,"salt":"QQ=="}},"data":"QQ=="}')),
    "paper key": (
        PaperKey.parse,
        (key_file(), PEM.replace(b"%s", b"RSA PRIVATE KEY")),
    ),
    "public key": (load_public_key, (PEM.replace(b"%s", b"PUBLIC KEY"),)),
    "sections": (check_sections, (b"user: root@pam\n\tenable 1\n\tcomment a b\n\ntoken: a!b\n\n# x\n",)),
    "blob": (_core.open_blob, (_core.seal_blob(b"text"), _core.seal_blob(bytes(500)))),
    "fixed index": (_core.FixedIndex.parse, (FIXED_INDEX,)),
    "dynamic index": (
        _core.DynamicIndex.parse,
        (_core.DynamicIndex.encode([(1, bytes(32))], uuid=bytes(16), ctime=1),),
    ),
}


@pytest.mark.parametrize("name", CONTENTS)
def test_any_content_is_a_value_or_an_error_of_ours(name: str) -> None:
    parse, examples = CONTENTS[name]

    @given(data=near_bytes(*examples))
    def check(data: bytes) -> None:
        with contextlib.suppress(PbstoreError):
            parse(data)

    check()


def read_config(name: str, read: Callable[[Roots], Any]) -> tuple[str, Callable[[Path], Any]]:
    return f"etc/proxmox-backup/{name}", lambda base: read(Roots.below(base))


def read_tasks(base: Path) -> None:
    index = TaskIndex(base)
    list(index.finished())
    index.running()


def read_logs(base: Path) -> None:
    read_end(base / "log")
    read_log(base / "log", 1, 5)


def read_catalog(base: Path) -> None:
    catalog = _core.Catalog(base / "catalog")
    catalog.entries()
    catalog.directory(b"/a.pxar.didx")


LOGS = (
    b"2024-01-01T00:00:00+00:00: a\n2024-01-01T00:00:00+01:00: TASK ERROR: b\n",
    b"2024-13-01T00:00:00Z: TASK OK\n",
    "202\u0664-01-01T00:00:00Z: TASK OK\n".encode(),
    b"0001-01-01T00:00:00+23:59: TASK OK\n",
)

FILES: dict[str, tuple[str, Callable[[Path], Any], tuple[bytes, ...]]] = {
    "users": (
        *read_config("user.cfg", lambda roots: UserFile(roots).load()),
        (b"user: a@pbs\n\texpire 1\n\temail b@c\n",),
    ),
    "datastores": (
        *read_config("datastore.cfg", lambda roots: DatastoreFile(roots).load()),
        (b"datastore: store1\n\tpath /a\n\ttuning sync-level=none\n\tmaintenance-mode offline\n\tgc-schedule daily\n",),
    ),
    "ACL": (
        *read_config("acl.cfg", lambda roots: AclFile(roots).load()),
        (b"acl:1:/datastore/a:root@pam,@g:Admin,Audit:\n",),
    ),
    "passwords": (
        *read_config("shadow.json", lambda roots: ShadowFile(roots).verify("a", "b")),
        (b'{"a":"$5$x$y"}', b'{"a":"\\ud800"}'),
    ),
    "token secrets": (
        *read_config("token.shadow", lambda roots: TokenShadowFile(roots).verify(AuthId(ROOT, "t"), "b")),
        (b'{"root@pam!t":"$5$x$y"}', b'{"root@pam!t":"\\ud800"}'),
    ),
    "second factors": (
        *read_config("tfa.json", lambda roots: TfaFile(roots).has_factors(ROOT)),
        (b'{"users":{"root@pam":{"totp":[{"enable":true}],"recovery":null}}}',),
    ),
    "ticket key": (*read_config("authkey.key", load_or_create_auth_key), (PRIVATE_PEM,)),
    "CSRF key": (*read_config("csrf.key", load_or_create_csrf_key), (b"QUJD",)),
    "tickets": (
        "tickets",
        lambda base: TicketCache(base / "tickets", lambda: 1.5).load("h", "root@pam"),
        tuple(b'{"h":{"root@pam":{"timestamp":%d,"ticket":"a","token":"b"}}}' % time for time in (1, 10**400)),
    ),
    "fingerprints": (
        "prints",
        lambda base: FingerprintCache(base / "prints").load("h"),
        (b"h " + b":".join([b"ab"] * 32),),
    ),
    "finished tasks": ("archive", read_tasks, (UPID + b" 6553F101 OK\n" + UPID + b" 6553F101 connection error: x\n",)),
    "running tasks": ("active", read_tasks, (UPID + b"\n",)),
    "task log": ("log", read_logs, LOGS),
    "archive": ("a", lambda base: list(_core.list_pxar(base / "a")), (bytes(64),)),
    "catalog": ("catalog", read_catalog, (bytes.fromhex("91fd60f9c46758d501000100") + bytes([8]) + bytes(7),)),
}


@pytest.fixture(scope="module")
def base() -> Iterator[Path]:
    with memory_directory() as path:
        (path / "etc/proxmox-backup").mkdir(parents=True)
        yield path


@pytest.mark.parametrize("name", FILES)
def test_any_file_is_a_value_or_an_error_of_ours(name: str, base: Path) -> None:
    place, read, examples = FILES[name]

    @given(data=near_bytes(*examples))
    def check(data: bytes) -> None:
        (base / place).write_bytes(data)
        with contextlib.suppress(PbstoreError):
            read(base)

    check()
    (base / place).unlink()
