"""A line of the long listing, character by character the original's (cli-manager.md 2)."""

import stat
import time

from pbstore.client.pxar_archive import ArchiveEntry, quoted_path


def long_line(entry: ArchiveEntry) -> str:
    """Mode, marks for ACL and extended attributes, owner, time, size or device, path, link target or payload offset."""
    mode = "L---------" if entry.kind == "h" else stat.filemode(entry.mode)
    marks = ("+" if entry.has_acl else " ") + ("+" if entry.xattrs else " ")
    size = str(entry.size) if entry.device is None else f"{entry.device[0]},{entry.device[1]}"
    owner = f"{entry.uid}/{entry.gid}"
    line = f"{mode}{marks} {owner:<13} {_time_text(entry.mtime_seconds)} {size:>8} {quoted_path(entry.path)}"
    if entry.link_target is not None:
        return f"{line} -> {quoted_path(entry.link_target)}"
    return line if entry.payload_offset is None else f"{line} {entry.payload_offset}"


def _time_text(seconds: int) -> str:
    """Local time; the number itself where the calendar ends."""
    try:
        return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(seconds))
    except (OverflowError, OSError, ValueError):
        return str(seconds)
