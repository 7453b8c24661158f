"""The two requests that turn into sessions (protocol-transport.md 4)."""

from collections.abc import Mapping
from contextlib import ExitStack
from functools import partial
from typing import Any

from pbstore._core import BackupChunks, ReaderChunks, SessionGrant
from pbstore.access.privileges import DATASTORE_BACKUP, DATASTORE_READ
from pbstore.api.method import Call, method
from pbstore.api.permission import Custom, Privilege, Rights, acl_path, known_caller
from pbstore.api.result import Session
from pbstore.api.schema import Boolean, Parameter
from pbstore.config.maintenance_mode import Operation
from pbstore.errors import PbstoreError
from pbstore.model.auth_id import AuthId
from pbstore.model.backup import BackupGroup, BackupType, Snapshot
from pbstore.model.namespace import Namespace
from pbstore.server.access_log import host_of
from pbstore.server.content_right import NAMESPACE_PATH, READ
from pbstore.server.parameters import SNAPSHOT, STORE
from pbstore.server.registry import Registry
from pbstore.server.verify_new import verify_new_snapshot
from pbstore.session.backup_session import BackupSession
from pbstore.session.open_backup import BackupRequest, open_backup
from pbstore.session.open_reader import open_reader
from pbstore.session.reader_session import ReaderSession

BACKUP_PROTOCOL = "proxmox-backup-protocol-v1"
READER_PROTOCOL = "proxmox-backup-reader-protocol-v1"


def _flag(name: str, description: str) -> Parameter:
    return Parameter(name=name, schema=Boolean(description=description), optional=True, default=False)


DEBUG = _flag("debug", "write every call into the task log")
BENCHMARK = _flag("benchmark", "measure only, keep nothing")
NO_CACHE = _flag("no-cache", "for object storage; without meaning here")


def _check_reader(rights: Rights, caller: AuthId, values: Mapping[str, Any]) -> None:
    path = acl_path(NAMESPACE_PATH, values)
    if not {DATASTORE_READ, DATASTORE_BACKUP} & set(rights.privileges(caller, path)):
        raise PbstoreError(f"no permissions on {path}")


@method(
    "GET",
    "/backup",
    permission=Privilege(NAMESPACE_PATH, (DATASTORE_BACKUP,)),
    parameters=(STORE, *SNAPSHOT, DEBUG, BENCHMARK, NO_CACHE),
    result=Session(description="a backup session", protocol=BACKUP_PROTOCOL),
)
def backup(
    call: Call[Registry],
    *,
    store: str,
    ns: Namespace,
    backup_type: BackupType,
    backup_id: str,
    backup_time: int,
    debug: bool,
    benchmark: bool,
    no_cache: bool,
) -> SessionGrant:
    """Open a backup session on this connection."""
    registry, caller = call.state, known_caller(call.caller)
    snapshot = Snapshot(BackupGroup(backup_type, backup_id), backup_time)
    request = BackupRequest(namespace=ns, snapshot=snapshot, caller=caller, is_benchmark=benchmark)
    with ExitStack() as guards:
        datastore = guards.enter_context(registry.datastores.using(store, Operation.WRITE))
        _check_upgrade(call, BACKUP_PROTOCOL)
        place = open_backup(
            datastore, request, now=registry.clock(), allowed_ahead_seconds=registry.allowed_ahead_seconds
        )
        place.keep_until_end(guards.pop_all())
    try:
        task = registry.tasks.open("benchmark" if benchmark else "backup", f"{store}:{snapshot.group}", caller)
    except BaseException:
        place.discard()
        raise
    host = host_of(call.peer)
    task.log(f"starting new backup on datastore '{store}' from {host}: \"{place.relative_path}\"")
    chunks = BackupChunks(datastore.chunk_store)
    session = BackupSession(
        place,
        chunks,
        task,
        caller=caller,
        is_benchmark=benchmark,
        debug=debug,
        on_finished=None if benchmark else partial(verify_new_snapshot, registry, store, ns, snapshot, caller),
    )
    grant = SessionGrant(BACKUP_PROTOCOL, chunks, session)
    task.on_abort(lambda: grant.abort("task aborted"))
    return grant


@method(
    "GET",
    "/reader",
    permission=Custom(f"{DATASTORE_READ} on the namespace, or {DATASTORE_BACKUP} for own groups", _check_reader),
    parameters=(STORE, *SNAPSHOT, DEBUG),
    result=Session(description="a reader session", protocol=READER_PROTOCOL),
)
def reader(
    call: Call[Registry],
    *,
    store: str,
    ns: Namespace,
    backup_type: BackupType,
    backup_id: str,
    backup_time: int,
    debug: bool,
) -> SessionGrant:
    """Open a reader session on this connection."""
    registry, caller = call.state, known_caller(call.caller)
    snapshot = Snapshot(BackupGroup(backup_type, backup_id), backup_time)
    with ExitStack() as guards:
        datastore = guards.enter_context(registry.datastores.using(store, Operation.READ))
        _check_upgrade(call, READER_PROTOCOL)
        place = open_reader(datastore, ns, snapshot, only_of=None if READ.is_full(call, store, ns) else caller)
        place.guards.enter_context(guards.pop_all())
    try:
        task = registry.tasks.open("reader", f"{store}:{snapshot.group}/{backup_time:08X}", caller)
    except BaseException:
        place.guards.close()
        raise
    task.log(f"starting new backup reader datastore '{store}': \"{datastore.path}\"")
    chunks = ReaderChunks(datastore.chunk_store)
    session = ReaderSession(place.directory, chunks, task, place.guards, caller=caller, debug=debug)
    grant = SessionGrant(READER_PROTOCOL, chunks, session)
    task.on_abort(lambda: grant.abort("task aborted"))
    return grant


def _check_upgrade(call: Call[Registry], protocol: str) -> None:
    values = [value.strip() for name, value in call.headers if name == "upgrade"]
    if not values:
        raise PbstoreError("missing Upgrade header")
    if values != [protocol]:
        raise PbstoreError("invalid protocol name")


METHODS = (backup, reader)
