"""Named sets of privileges (auth.md 6)."""

from collections.abc import Mapping

from pbstore.access.privileges import PRIVILEGES

ADMIN = "Admin"
NO_ACCESS = "NoAccess"


def _of(area: str, *names: str) -> frozenset[str]:
    return frozenset(f"{area}.{name}" for name in names)


ROLES: Mapping[str, frozenset[str]] = {
    ADMIN: frozenset(PRIVILEGES),
    "Audit": frozenset({"Sys.Audit", "Datastore.Audit"}),
    "DatastoreAdmin": _of("Datastore", "Audit", "Modify", "Read", "Verify", "Backup", "Prune"),
    "DatastoreAudit": _of("Datastore", "Audit"),
    "DatastoreBackup": _of("Datastore", "Backup"),
    "DatastorePowerUser": _of("Datastore", "Prune", "Backup"),
    "DatastoreReader": _of("Datastore", "Audit", "Verify", "Read"),
    NO_ACCESS: frozenset(),
    "RemoteAdmin": _of("Remote", "Audit", "Modify", "Read"),
    "RemoteAudit": _of("Remote", "Audit"),
    "RemoteDatastoreAdmin": _of("Remote", "Audit", "DatastoreBackup", "DatastoreModify", "DatastorePrune"),
    "RemoteDatastorePowerUser": _of("Remote", "Audit", "DatastoreBackup", "DatastorePrune"),
    "RemoteSyncOperator": _of("Remote", "Audit", "Read"),
    "RemoteSyncPushOperator": _of("Remote", "Audit", "DatastoreBackup"),
    "TapeAdmin": _of("Tape", "Audit", "Modify", "Read", "Write"),
    "TapeAudit": _of("Tape", "Audit"),
    "TapeOperator": _of("Tape", "Audit", "Read", "Write"),
    "TapeReader": _of("Tape", "Audit", "Read"),
}

ROLE_COMMENTS: Mapping[str, str] = {
    ADMIN: "Administrator",
    "Audit": "Auditor",
    "DatastoreAdmin": "Datastore Administrator",
    "DatastoreAudit": "Datastore Auditor",
    "DatastoreBackup": "Datastore Backup (backup and restore owned backups)",
    "DatastorePowerUser": "Datastore PowerUser (backup, restore and prune owned backup)",
    "DatastoreReader": "Datastore Reader (inspect datastore content and do restores)",
    NO_ACCESS: "Disable Access",
    "RemoteAdmin": "Remote Administrator",
    "RemoteAudit": "Remote Auditor",
    "RemoteDatastoreAdmin": "Remote Datastore Admin",
    "RemoteDatastorePowerUser": "Remote Datastore Prune",
    "RemoteSyncOperator": "Synchronization Operator",
    "RemoteSyncPushOperator": "Synchronisation Operator (push direction)",
    "TapeAdmin": "Tape Administrator",
    "TapeAudit": "Tape Auditor",
    "TapeOperator": "Tape Operator",
    "TapeReader": "Tape Reader",
}
"""How the API describes them."""
