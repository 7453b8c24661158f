"""What the last garbage collection of a datastore left (datastore-layout.md 5.4)."""

import json

from pbstore.datastore.datastore import Datastore

_MAX_BYTES = 1 << 16
_NEVER = {
    "upid": None,
    "index-file-count": 0,
    "index-data-bytes": 0,
    "disk-bytes": 0,
    "disk-chunks": 0,
    "removed-bytes": 0,
    "removed-chunks": 0,
    "pending-bytes": 0,
    "pending-chunks": 0,
    "removed-bad": 0,
    "still-bad": 0,
}


def read_gc_status(datastore: Datastore) -> dict[str, object]:
    """Return the status; a file that cannot be read counts as none."""
    try:
        with (datastore.path / ".gc-status").open("rb") as file:
            stored = json.loads(file.read(_MAX_BYTES))
    except (OSError, ValueError, RecursionError):
        stored = None
    return {**_NEVER, **(stored if isinstance(stored, dict) else {})}
