"""Values that completion takes from the configuration; it stays silent when that cannot be read."""

from collections.abc import Callable, Sequence
from itertools import islice

from pbstore.cli.console import Console
from pbstore.cli.proxmox_backup_manager.places import existing_roots
from pbstore.client.answers import rows_of
from pbstore.client.local_server import LocalServer
from pbstore.config.acl_cfg import AclFile
from pbstore.config.datastore_cfg import DatastoreFile
from pbstore.config.roots import Roots
from pbstore.config.second_factors import SecondFactors
from pbstore.config.tfa_json import TfaFile
from pbstore.config.user_cfg import UserFile
from pbstore.errors import PbstoreError
from pbstore.model.auth_id import UserId
from pbstore.tasks.task_index import TaskIndex

ACL_PATHS = (
    "/",
    "/access",
    "/access/acl",
    "/access/domains",
    "/access/users",
    "/datastore",
    "/remote",
    "/system",
    "/system/certificates",
    "/system/disks",
    "/system/log",
    "/system/network",
    "/system/notifications",
    "/system/services",
    "/system/status",
    "/system/tasks",
    "/system/time",
)
MAX_TASKS = 200
Values = Sequence[str]


def _from(console: Console, read: Callable[[Roots], Values]) -> Values:
    try:
        return read(existing_roots(console))
    except (PbstoreError, OSError):
        return ()


def complete_datastores(console: Console, raw: dict[str, object]) -> Values:
    """All datastores."""
    return _from(console, lambda roots: list(DatastoreFile(roots).load().datastores))


def complete_users(console: Console, raw: dict[str, object]) -> Values:
    """All users."""
    return _from(console, lambda roots: [str(user) for user in UserFile(roots).load().users])


def complete_auth_ids(console: Console, raw: dict[str, object]) -> Values:
    """All users and their tokens."""
    tokens = _from(console, lambda roots: [str(token) for token in UserFile(roots).load().tokens])
    return [*complete_users(console, raw), *tokens]


def complete_tokens(console: Console, raw: dict[str, object]) -> Values:
    """The tokens of the user that was typed before."""

    def read(roots: Roots) -> Values:
        tokens = UserFile(roots).load().tokens_of(UserId.parse(str(raw.get("userid", ""))))
        return [token.auth_id.token_name or "" for token in tokens]

    return _from(console, read)


def complete_factors(console: Console, raw: dict[str, object]) -> Values:
    """The second factors of the user that was typed before."""

    def read(roots: Roots) -> Values:
        factors = TfaFile(roots).load().get(UserId.parse(str(raw.get("userid", ""))), SecondFactors())
        return [factor.factor_id for factor in factors.entries]

    return _from(console, read)


def complete_acl_paths(console: Console, raw: dict[str, object]) -> Values:
    """Paths that rights can be given on, and those that have some."""
    stores = [f"/datastore/{name}" for name in complete_datastores(console, raw)]
    entries = _from(console, lambda roots: [entry.path for entry in AclFile(roots).load().entries])
    return sorted({*ACL_PATHS, *stores, *entries})


def complete_tasks(console: Console, raw: dict[str, object]) -> Values:
    """The newest tasks, running and ended."""

    def read(roots: Roots) -> Values:
        return [str(upid) for upid, _ in islice(TaskIndex(roots.tasks_dir).newest(), MAX_TASKS)]

    return _from(console, read)


def complete_running_tasks(console: Console, raw: dict[str, object]) -> Values:
    """What runs now."""
    return _from(console, lambda roots: [str(upid) for upid in TaskIndex(roots.tasks_dir).running()])


def complete_namespaces(console: Console, raw: dict[str, object]) -> Values:
    """The namespaces of the datastore that was typed before, if the server runs."""

    def read(roots: Roots) -> Values:
        rows = rows_of(LocalServer(roots.control_socket).get(f"admin/datastore/{raw.get('store', '')}/namespace"))
        return [str(row.get("ns", "")) for row in rows]

    return _from(console, read)
