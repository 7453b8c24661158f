"""What calls answer about datastores (rest-api.md 2, 4.1 and 5)."""

from pbstore.api.result import Items, Number, Object, Property, Text, always, or_null, perhaps
from pbstore.api.schema import Enum, Integer
from pbstore.datastore.mount_status import MountStatus
from pbstore.server.datastore_parameters import FOR_OTHER_KINDS, NAME, PATH, RETENTION, UPDATABLE
from pbstore.server.parameters import STORE
from pbstore.server.task_results import TASK_ID


def _count(name: str, description: str) -> Property:
    return always(name, Integer(description=description))


_BACKEND = Enum(description="where chunks are kept", values=("filesystem", "s3"))
_MOUNT_STATUS = Enum(description="whether its device is there", values=tuple(status.value for status in MountStatus))
_SPACE = (
    _count("total", "bytes of the file system"),
    _count("used", "bytes in use"),
    _count("avail", "bytes that can still be used"),
)
GC_STATUS = Object(
    description="what the last garbage collection found",
    properties=(
        always("upid", or_null(TASK_ID)),
        _count("index-file-count", "index files"),
        _count("index-data-bytes", "bytes that the index files stand for"),
        _count("disk-bytes", "bytes of the chunks in use"),
        _count("disk-chunks", "chunks in use"),
        _count("removed-bytes", "bytes of the removed chunks"),
        _count("removed-chunks", "removed chunks"),
        _count("pending-bytes", "bytes of unused chunks that are too young to be removed"),
        _count("pending-chunks", "unused chunks that are too young to be removed"),
        _count("removed-bad", "removed chunks that were damaged"),
        _count("still-bad", "damaged chunks that are in use"),
        perhaps(
            "cache-stats",
            Object(
                description="how often a chunk was known already",
                properties=(_count("hits", "known"), _count("misses", "new")),
            ),
        ),
    ),
)
DATASTORES = Items(
    description="datastores",
    item=Object(
        description="a datastore",
        properties=(
            always("store", STORE.schema),
            always("comment", or_null(Text(description="what it is for"))),
            always("mount-status", _MOUNT_STATUS),
            always("backend-type", _BACKEND),
            perhaps("maintenance", Text(description="maintenance mode")),
        ),
    ),
)
_TYPE_COUNTS = or_null(
    Object(
        description="how many of this type",
        properties=(_count("groups", "groups with finished snapshots"), _count("snapshots", "finished snapshots")),
    )
)
STATUS = Object(
    description="how full it is",
    properties=(
        *_SPACE,
        always("backend-type", _BACKEND),
        perhaps(
            "counts",
            Object(
                description="what there is",
                properties=tuple(always(name, _TYPE_COUNTS) for name in ("ct", "host", "vm", "other")),
            ),
        ),
        perhaps("gc-status", GC_STATUS),
    ),
)
USAGE = Items(
    description="datastores",
    item=Object(
        description="how full it is",
        properties=(
            always("store", STORE.schema),
            perhaps("mount-status", _MOUNT_STATUS),
            perhaps("backend-type", _BACKEND),
            *(perhaps(member.name, member.shape) for member in _SPACE),
            perhaps("gc-status", GC_STATUS),
            perhaps("history-start", Integer(description="time of the first value, seconds since 1970")),
            perhaps("history-delta", Integer(description="seconds between two values")),
            perhaps(
                "history",
                Items(
                    description="used share of the space over time",
                    item=or_null(Number(description="0 to 1; null where nothing is known")),
                ),
            ),
            perhaps("error", Text(description="why nothing can be said")),
        ),
    ),
)
OPERATIONS = Object(
    description="what runs", properties=(_count("read", "reading operations"), _count("write", "writing operations"))
)
CONFIG = Object(
    description="the configuration",
    properties=(
        *(always(parameter.name, parameter.schema) for parameter in (NAME, PATH)),
        *(perhaps(parameter.name, parameter.schema) for parameter in (*UPDATABLE, *RETENTION, *FOR_OTHER_KINDS)),
    ),
)
NAMESPACES = Items(
    description="namespaces",
    item=Object(
        description="a namespace", properties=(always("ns", Text(description="its path, empty for the root")),)
    ),
)
