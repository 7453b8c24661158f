"""What one can be allowed to do (auth.md 6), in the order in which the API lists it."""

SYS_AUDIT = "Sys.Audit"
SYS_MODIFY = "Sys.Modify"
SYS_POWER_MANAGEMENT = "Sys.PowerManagement"
SYS_CONSOLE = "Sys.Console"
DATASTORE_AUDIT = "Datastore.Audit"
DATASTORE_ALLOCATE = "Datastore.Allocate"
DATASTORE_MODIFY = "Datastore.Modify"
DATASTORE_READ = "Datastore.Read"
DATASTORE_VERIFY = "Datastore.Verify"
DATASTORE_BACKUP = "Datastore.Backup"
DATASTORE_PRUNE = "Datastore.Prune"
PERMISSIONS_MODIFY = "Permissions.Modify"
REMOTE_AUDIT = "Remote.Audit"
REMOTE_MODIFY = "Remote.Modify"
REMOTE_READ = "Remote.Read"
REMOTE_DATASTORE_BACKUP = "Remote.DatastoreBackup"
REMOTE_DATASTORE_MODIFY = "Remote.DatastoreModify"
REMOTE_DATASTORE_PRUNE = "Remote.DatastorePrune"
TAPE_AUDIT = "Tape.Audit"
TAPE_MODIFY = "Tape.Modify"
TAPE_WRITE = "Tape.Write"
TAPE_READ = "Tape.Read"
REALM_ALLOCATE = "Realm.Allocate"

PRIVILEGES = (
    SYS_AUDIT,
    SYS_MODIFY,
    SYS_POWER_MANAGEMENT,
    DATASTORE_AUDIT,
    DATASTORE_ALLOCATE,
    DATASTORE_MODIFY,
    DATASTORE_READ,
    DATASTORE_VERIFY,
    DATASTORE_BACKUP,
    DATASTORE_PRUNE,
    PERMISSIONS_MODIFY,
    REMOTE_AUDIT,
    REMOTE_MODIFY,
    REMOTE_READ,
    REMOTE_DATASTORE_BACKUP,
    REMOTE_DATASTORE_MODIFY,
    REMOTE_DATASTORE_PRUNE,
    SYS_CONSOLE,
    TAPE_AUDIT,
    TAPE_MODIFY,
    TAPE_WRITE,
    TAPE_READ,
    REALM_ALLOCATE,
)
