"""What `user.cfg` says about a storage goes with it: rights on it, and its place in pools (pve-access-and-guests.md 1).

Only the lines that name the storage are changed; everything else keeps its bytes.
"""

import re

from pbstore.pve.cluster_lock import file_lock
from pbstore.pve.host import Host, read_shared, replace_shared
from pbstore.pve.value_types import LIST_SEPARATORS

_POOL_STORAGES = 4


def forget_storage(host: Host, storage_id: str) -> None:
    """Remove rights on `/storage/<id>` and memberships in pools.

    Raises:
        ConfigError: the file cannot be read or written.
        LockedError: another program holds its lock for too long.
    """
    if not host.user_cfg.exists():
        return
    with file_lock(host, host.user_cfg.name) as lock:
        content = read_shared(host.user_cfg)
        lines = re.findall(r"[^\n]*\n|[^\n]+", content.decode(errors="surrogateescape"))
        kept = "".join(_without(line, storage_id) for line in lines).encode(errors="surrogateescape")
        if kept != content:
            lock.check()
            replace_shared(host.user_cfg, kept)


def _without(line: str, storage_id: str) -> str:
    fields = line.rstrip("\n").split(":")
    kind = fields[0].strip()
    if kind == "acl" and len(fields) > 2 and fields[2].strip().strip("/") == f"storage/{storage_id}":
        return ""
    if kind == "pool" and len(fields) > _POOL_STORAGES:
        members = [word for word in LIST_SEPARATORS.split(fields[_POOL_STORAGES]) if word]
        if storage_id in members:
            fields[_POOL_STORAGES] = ",".join(member for member in members if member != storage_id)
            return ":".join(fields) + ("\n" if line.endswith("\n") else "")
    return line
