"""What calls answer about groups, snapshots and their files (rest-api.md 5)."""

from pbstore.api.result import Items, Object, Text, always, perhaps
from pbstore.api.schema import Boolean, Enum, Integer
from pbstore.model.crypt_mode import CryptMode
from pbstore.server.parameters import BACKUP_ID, BACKUP_TIME, BACKUP_TYPE
from pbstore.server.task_results import TASK_ID

OWNER = Text(description="user or API token that owns the group")
COMMENT = Text(description="first line of the notes")
_TYPE, _ID, _TIME = (always(parameter.name, parameter.schema) for parameter in (BACKUP_TYPE, BACKUP_ID, BACKUP_TIME))
FILES = Items(
    description="files of the snapshot",
    item=Object(
        description="a file",
        properties=(
            always("filename", Text(description="name on the server")),
            perhaps(
                "crypt-mode", Enum(description="how it is protected", values=tuple(mode.value for mode in CryptMode))
            ),
            perhaps("size", Integer(description="bytes of the content")),
        ),
    ),
)
GROUPS = Items(
    description="groups, by type and name",
    item=Object(
        description="a group",
        properties=(
            _TYPE,
            _ID,
            always("last-backup", Integer(description="time of the newest finished snapshot; 0 without any")),
            always("backup-count", Integer(description="number of finished snapshots")),
            always("files", Items(description="files of the newest snapshot", item=Text(description="file name"))),
            perhaps("owner", OWNER),
            perhaps("comment", COMMENT),
        ),
    ),
)
VERIFICATION = Object(
    description="what the last verification found",
    properties=(always("state", Enum(description="verdict", values=("ok", "failed"))), always("upid", TASK_ID)),
)
SNAPSHOTS = Items(
    description="snapshots, the newest of each group first",
    item=Object(
        description="a snapshot",
        properties=(
            _TYPE,
            _ID,
            _TIME,
            always("files", FILES),
            always("protected", Boolean(description="whether it must not be removed")),
            perhaps("comment", COMMENT),
            perhaps("verification", VERIFICATION),
            perhaps("fingerprint", Text(description="of the key that it is encrypted or signed with")),
            perhaps("size", Integer(description="bytes of all files")),
            perhaps("owner", OWNER),
        ),
    ),
)
REMOVAL_COUNTS = Object(
    description="what was removed",
    properties=(
        always("removed-groups", Integer(description="groups that are gone")),
        always("removed-snapshots", Integer(description="snapshots that are gone")),
        always("protected-snapshots", Integer(description="snapshots that stayed, as they are protected")),
    ),
)
PRUNE_DECISIONS = Items(
    description="snapshots of the group",
    item=Object(
        description="what becomes of a snapshot",
        properties=(
            _TYPE,
            _ID,
            _TIME,
            always("keep", Boolean(description="whether it stays")),
            always("protected", Boolean(description="whether it stays as it is protected")),
            perhaps("ns", Text(description="namespace")),
        ),
    ),
)
