"""Kinds of configuration files: who owns them and who may read them (config-files.md 1)."""

import os
import pwd
from enum import Enum

SERVICE_USER = "backup"


class FileKind(Enum):
    """The value is the mode, the user and the group."""

    CONFIG = (0o640, "root", SERVICE_USER)
    SECRET = (0o600, "root", "root")
    SERVICE = (0o640, SERVICE_USER, SERVICE_USER)
    LOCK = (0o660, SERVICE_USER, SERVICE_USER)

    @property
    def mode(self) -> int:
        """Permission bits."""
        return self.value[0]

    @property
    def belongs_to_root(self) -> bool:
        """Whether only root can make such a file."""
        return self.value[1] == "root"

    def owner(self) -> tuple[int, int] | None:
        """Uid and gid of a new file; None when not started as root, then it belongs to who made it."""
        service = service_owner()
        if service is None:
            return None
        _, user, group = self.value
        return service[0] if user == SERVICE_USER else 0, service[1] if group == SERVICE_USER else 0


def service_owner() -> tuple[int, int] | None:
    """Uid and gid of the user that the server runs as; None when not started as root or without that user."""
    if os.geteuid() != 0:
        return None
    try:
        entry = pwd.getpwnam(SERVICE_USER)
    except KeyError:
        return None
    return entry.pw_uid, entry.pw_gid
