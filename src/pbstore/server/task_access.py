"""Who may look at a task, and who may stop it (rest-api.md 8)."""

from collections.abc import Mapping
from typing import Any

from pbstore.access.privileges import (
    DATASTORE_BACKUP,
    DATASTORE_MODIFY,
    DATASTORE_VERIFY,
    REMOTE_READ,
    SYS_AUDIT,
    SYS_MODIFY,
)
from pbstore.api.permission import Custom, Rights, acl_path
from pbstore.errors import PbstoreError, PermissionDeniedError
from pbstore.model.auth_id import AuthId
from pbstore.model.upid import Upid

TASKS_PATH = "/system/tasks"
_LOCAL = "-"
"""Stands in the id of a sync job for the server itself as source."""


def may_see(rights: Rights, caller: AuthId, upid: Upid) -> bool:
    """Whether the caller may look at a task: an own one, one of an own token, all, or those of a job of his."""
    if caller.owns(upid.auth_id) or SYS_AUDIT in rights.privileges(caller, TASKS_PATH):
        return True
    needed = _job_rights(upid)
    return bool(needed) and all(name in rights.privileges(caller, path) for path, name in needed)


def may_stop(rights: Rights, caller: AuthId, upid: Upid) -> bool:
    """Whether the caller may stop a task: exactly an own one, or all."""
    return caller == upid.auth_id or SYS_MODIFY in rights.privileges(caller, TASKS_PATH)


def _job_rights(upid: Upid) -> list[tuple[str, str]]:
    """Return the paths and privileges that together let somebody run such a job; none for what is no job."""
    parts = upid.worker_id.split(":")
    match upid.worker_type, parts:
        case "verificationjob", [store, _]:
            return [(_path(store), DATASTORE_VERIFY)]
        case "garbage_collection", [store]:
            return [(_path(store), DATASTORE_MODIFY)]
        case "prune" | "prunejob", [store, *rest] if len(rest) <= 2:
            return [(_path(store, rest[0] if rest else ""), DATASTORE_MODIFY)]
        case "syncjob", [remote, remote_store, store, namespace, _]:
            if remote == _LOCAL:
                source = (_path(remote_store), DATASTORE_BACKUP)
            else:
                source = (f"/remote/{remote}/{remote_store}", REMOTE_READ)
            return [(_path(store, namespace), DATASTORE_BACKUP), source]
    return []


def _path(store: str, namespace: str = "") -> str:
    return acl_path("/datastore/{store}/{ns}", {"store": store, "ns": namespace})


def _check_see(rights: Rights, caller: AuthId, values: Mapping[str, Any]) -> None:
    if not may_see(rights, caller, values["upid"]):
        raise PbstoreError("task access not allowed")


def _check_stop(rights: Rights, caller: AuthId, values: Mapping[str, Any]) -> None:
    if not may_stop(rights, caller, values["upid"]):
        raise PermissionDeniedError


SEE = Custom(
    f"an own task, {SYS_AUDIT} on {TASKS_PATH}, or what its job needs: {DATASTORE_VERIFY}, {DATASTORE_MODIFY},"
    f" or {DATASTORE_BACKUP} and {REMOTE_READ}",
    _check_see,
)
STOP = Custom(f"an own task, or {SYS_MODIFY} on {TASKS_PATH}", _check_stop)
