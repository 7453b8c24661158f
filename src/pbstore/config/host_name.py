"""The name of this host, alone and with its domain."""

import os
from pathlib import Path

RESOLV_CONF = Path("/etc/resolv.conf")


def node_name() -> str:
    """Return the host name up to the first dot."""
    return os.uname().nodename.partition(".")[0] or "localhost"


def search_domain(resolv_conf: Path = RESOLV_CONF) -> str | None:
    """Return the first domain that `resolv.conf` searches, if any; the last such line counts."""
    domain = None
    try:
        lines = resolv_conf.read_text(errors="replace").splitlines()
    except OSError:
        return None
    for line in lines:
        words = line.split()
        if len(words) >= 2 and words[0] in ("search", "domain"):
            domain = words[1].rstrip(".")
    return domain or None


def full_name(node: str, domain: str | None) -> str:
    """Return `node.domain`, or the node alone."""
    return f"{node}.{domain}" if domain else node
