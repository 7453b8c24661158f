"""Every parser of names, parameters and credentials takes any text: a value comes out, or an error of ours."""

import contextlib
import json
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from near_misses import near_bytes, near_texts
from pbstore import _core
from pbstore.access.acl_path import check_acl_path
from pbstore.access.credentials import ticket_of
from pbstore.access.csrf import check_csrf_token, issue_csrf_token
from pbstore.access.tickets import check_ticket, issue_ticket, ticket_info
from pbstore.api.envelopes import parse_format
from pbstore.api.request_parameters import request_parameters
from pbstore.api.route_table import decode_component
from pbstore.cli.pbstore.listen_address import parse_listen_address
from pbstore.client.answers import data_of, number_of, rows_of, text_of
from pbstore.client.backup_source import BackupSource
from pbstore.client.repository import RepositorySpec, server_name_of
from pbstore.config.auth_key import AuthKey
from pbstore.config.maintenance_mode import MaintenanceMode
from pbstore.config.property_string import parse_property_string
from pbstore.config.tuning import Tuning
from pbstore.errors import PbstoreError
from pbstore.format.kdf import KdfName
from pbstore.model.archive_name import archive_name, server_file_name
from pbstore.model.auth_id import AuthId, UserId
from pbstore.model.backup import BackupGroup, BackupType, Snapshot
from pbstore.model.backup_time import parse_backup_time
from pbstore.model.crypt_mode import CryptMode
from pbstore.model.fingerprint import Fingerprint
from pbstore.model.names import check_datastore_name
from pbstore.model.namespace import Namespace
from pbstore.model.unit_name import unescape_unit_name
from pbstore.model.upid import Upid
from pbstore.server.methods.all_methods import ROUTES

NOW = 1_700_000_000.0
AUTH_KEY = AuthKey(Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
CSRF_KEY = bytes(64)
ROOT = UserId("root", "pam")
TICKET = issue_ticket(AUTH_KEY, ROOT, NOW)


def unicode(text: str) -> str:
    """Text without halves of characters, which the compiled module takes none of."""
    return text.encode(errors="replace").decode()


PARSERS: dict[str, tuple[Callable[[str], Any], tuple[str, ...]]] = {
    "user id": (UserId.parse, ("root@pam", "a@b@pbs")),
    "auth id": (AuthId.parse, ("root@pam", "u@pbs!token")),
    "archive name": (lambda text: archive_name(server_file_name(text)), ("root.pxar", "disk.img.fidx", "a.b.conf")),
    "backup type": (BackupType.parse, ("vm", "host")),
    "backup group": (BackupGroup.parse, ("vm/100", "host/a-b.c")),
    "snapshot": (Snapshot.parse, ("ct/1/2020-06-26T13:56:05Z",)),
    "backup time": (parse_backup_time, ("2020-06-26T13:56:05Z", "2024-02-29T23:59:60Z")),
    "namespace": (Namespace.parse, ("", "a/b/c", "1/2/3/4/5/6/7")),
    "datastore name": (check_datastore_name, ("store1",)),
    "fingerprint": (Fingerprint.parse, (":".join(["aB"] * 32),)),
    "crypt mode": (CryptMode.parse, ("encrypt", "sign-only")),
    "kdf": (KdfName.parse, ("scrypt",)),
    "unit name": (unescape_unit_name, ("store1\\x3avm-100", "\\xc3\\xa9")),
    "upid": (Upid.parse, ("UPID:pbs1:00000C3F:00002A1B:0000001C:6553F100:backup:store1\\x3avm-100:root@pam:",)),
    "repository": (
        lambda text: RepositorySpec.parse(text).address,
        ("store1", "u@pbs!tok@h:1234:store1", "[ff80::51]:1234:store1"),
    ),
    "server name": (server_name_of, ("localhost", "10.0.0.1", "fe80::1%eth0")),
    "backup source": (BackupSource.parse, ("root.pxar:/", "a.img:/dev/x")),
    "listen address": (parse_listen_address, ("127.0.0.1:8007", "[::]:8007", ":1", "8007")),
    "proxy": (lambda text: _core.Connection("h", 1, proxy=unicode(text)), ("http://u:p%41@h:3128", "[::1]:80", "h")),
    "server fingerprint": (lambda text: _core.Connection("h", 1, fingerprint=unicode(text)), (":".join(["aB"] * 32),)),
    "property string": (
        lambda text: parse_property_string(text, default_key="type"),
        ("offline,message=x", 'type=a,message="b \\"c\\" \\\\ d\\n,"'),
    ),
    "maintenance mode": (MaintenanceMode.parse, ('type=offline,message="a%20b"', "read-only")),
    "tuning": (Tuning.parse, ("chunk-order=inode,sync-level=file", "gc-atime-cutoff=60,gc-atime-safety-check=0")),
    "ACL path": (check_acl_path, ("/", "/datastore/store1/a/b", "/system/network/dns")),
    "format": (parse_format, ("json", "extjs")),
    "path component": (decode_component, ("a%3Ab", "%ff", "x+y")),
    "ticket": (lambda text: check_ticket(AUTH_KEY, text, NOW), (TICKET, ticket_info(TICKET), TICKET.upper())),
    "CSRF token": (
        lambda text: check_csrf_token(CSRF_KEY, text, ROOT, NOW),
        (issue_csrf_token(CSRF_KEY, ROOT, NOW),),
    ),
    "cookie": (lambda text: ticket_of([("cookie", text)]), ("a=b; PBSAuthCookie=PBS%3Aroot; __Host-PBSAuthCookie=x",)),
}


@pytest.mark.parametrize("name", PARSERS)
def test_any_text_is_a_value_or_an_error_of_ours(name: str) -> None:
    parse, examples = PARSERS[name]

    @given(text=near_texts(*examples))
    def check(text: str) -> None:
        with contextlib.suppress(PbstoreError):
            parse(text)

    check()


@pytest.mark.parametrize("name", PARSERS)
@pytest.mark.parametrize(
    "filling", [" ", "a", "a.", "-", "[", "]", '"', '\\"', "a=", "a,", "\\x41", "%41", ":", "@", "/", "0"]
)
def test_long_texts_take_no_longer_than_they_are(name: str, filling: str) -> None:
    """A pattern that tries every way to split a text would not come back within the time that a test has."""
    parse, examples = PARSERS[name]
    for head, tail in (("", ""), ("", '"'), (examples[0], "\n"), (examples[0][:4], "!")):
        with contextlib.suppress(PbstoreError):
            parse(head + filling * (60_000 // len(filling)) + tail)


BODIES = (
    b'{"backup-type":"vm","backup-id":"100","backup-time":1,"ns":"a/b","keep-last":1,"delete":["comment"]}',
    b'{"username":"root@pam","password":"x","store":"s","userid":"a@pbs","enable":true,"expire":0}',
    b"backup-type=vm&backup-id=100&backup-time=1&path=%2F&role=Admin&propagate=1",
)


@given(
    method=st.sampled_from(list(ROUTES)),
    query=near_texts("ns=a%2Fb&backup-type=host", "_dc=1&max-depth=3&history=1"),
    content_type=near_texts("application/json", "application/x-www-form-urlencoded; charset=utf-8"),
    body=near_bytes(*BODIES),
)
def test_any_request_gives_parameters_or_an_error_of_ours(
    method: Any, query: str, content_type: str, body: bytes
) -> None:
    with contextlib.suppress(PbstoreError):
        request_parameters(method.parameters, query=query, content_type=content_type, body=body)


@given(
    http_method=st.sampled_from(["GET", "POST"]),
    path=near_texts("/admin/datastore/store1/snapshots", "/%61ccess//ticket"),
)
def test_any_path_is_a_method_or_an_error_of_ours(http_method: str, path: str) -> None:
    with contextlib.suppress(PbstoreError):
        ROUTES.find(http_method, path)


ANSWER = {"data": [{"backup-type": "vm", "backup-time": 1, "files": ["a"], "size": None, "owner": "root@pam"}]}


@given(
    status=st.sampled_from([200, 204, 400, 500]),
    body=near_bytes(json.dumps(ANSWER).encode(), b'{"data":null}', b"no permission\n"),
)
def test_any_answer_is_data_or_an_error_of_ours(status: int, body: bytes) -> None:
    with contextlib.suppress(PbstoreError):
        for row in rows_of(data_of(status, body)):
            text_of(row, "backup-type")
            number_of(row, "backup-time")
