"""Parameters that many methods share: datastore, namespace, group, snapshot (rest-api.md 1)."""

from pbstore.api.request_parameters import MAX_BODY_BYTES
from pbstore.api.result import always
from pbstore.api.schema import Boolean, Enum, Integer, Parameter, String
from pbstore.model.auth_id import UserId
from pbstore.model.backup import BackupType
from pbstore.model.names import SAFE_ID
from pbstore.model.namespace import MAX_DEPTH, MAX_TEXT_LENGTH, Namespace

_MAX_BACKUP_TIME = 253402300799

STORE = Parameter(
    name="store",
    schema=String(description="name of the datastore", pattern=SAFE_ID.pattern, minimum_length=3, maximum_length=32),
)
_NAMESPACE = String(description="namespace", maximum_length=MAX_TEXT_LENGTH, convert=Namespace.parse)
NS = Parameter(name="ns", schema=_NAMESPACE, optional=True, default=Namespace())
TARGET_NS = Parameter(name="target-ns", schema=_NAMESPACE, optional=True, default=Namespace())
PARENT = Parameter(name="parent", schema=_NAMESPACE, optional=True, default=Namespace())
_TYPE = Enum(description="type of the backup", values=("vm", "ct", "host"), convert=BackupType.parse)
_ID = String(description="name of the guest or host", pattern=SAFE_ID.pattern, maximum_length=255)
_TIME = Integer(description="time of the backup, seconds since 1970", minimum=1, maximum=_MAX_BACKUP_TIME)

BACKUP_TYPE = Parameter(name="backup-type", schema=_TYPE)
BACKUP_ID = Parameter(name="backup-id", schema=_ID)
BACKUP_TIME = Parameter(name="backup-time", schema=_TIME)
ONLY_BACKUP_TYPE = Parameter(name="backup-type", schema=_TYPE, optional=True)
ONLY_BACKUP_ID = Parameter(name="backup-id", schema=_ID, optional=True)
GROUP = (NS, BACKUP_TYPE, BACKUP_ID)
SNAPSHOT = (*GROUP, BACKUP_TIME)
NOTES = Parameter(
    name="notes", schema=String(description="text, its first line is the comment", maximum_length=MAX_BODY_BYTES)
)
ERROR_ON_PROTECTED = Parameter(
    name="error-on-protected",
    schema=Boolean(description="fail when protected snapshots are left"),
    optional=True,
    default=True,
)
MAX_DEPTH_BELOW = Parameter(
    name="max-depth",
    schema=Integer(description="levels of namespaces below", maximum=MAX_DEPTH),
    optional=True,
    default=MAX_DEPTH,
)
DIGEST = Parameter(
    name="digest",
    schema=String(description="SHA-256 of the file that the change is meant for", pattern="[0-9a-fA-F]{64}"),
    optional=True,
)
DIGEST_BESIDE = (always("digest", String(description="SHA-256 of the file", pattern="[0-9a-f]{64}")),)
ONLY_BACKUP_TIME = Parameter(name="backup-time", schema=_TIME, optional=True)

FILE_NAME = Parameter(
    name="file-name",
    schema=String(description="name of a file of the snapshot", pattern=SAFE_ID.pattern, maximum_length=255),
)
USERNAME = Parameter(
    name="username",
    schema=String(
        description="user",
        pattern=r"[^\s:/\x00-\x1f\x7f]+@[A-Za-z0-9_][A-Za-z0-9._\-]+",
        minimum_length=3,
        maximum_length=64,
        convert=UserId.parse,
    ),
)
