"""Compare two directory trees inode by inode."""

import filecmp
import stat
from collections.abc import Iterator
from pathlib import Path


def tree_differences(source: Path, restored: Path, *, owners: bool) -> list[str]:
    """Every difference in names, kind, mode, times, size, content, link target, device number and, if asked, owners."""
    return list(_differences(source, restored, owners=owners))


def _differences(source: Path, restored: Path, *, owners: bool) -> Iterator[str]:
    waiting = [Path()]
    while waiting:
        relative = waiting.pop()
        yield from _entry_differences(source / relative, restored / relative, relative, owners=owners)
        if not (source / relative).is_dir() or (source / relative).is_symlink():
            continue
        if not (restored / relative).is_dir():
            continue
        expected = {path.name for path in (source / relative).iterdir()}
        found = {path.name for path in (restored / relative).iterdir()}
        yield from (f"{relative / name} is missing" for name in sorted(expected - found))
        yield from (f"{relative / name} was not in the source" for name in sorted(found - expected))
        waiting += [relative / name for name in expected & found]


def _entry_differences(source: Path, restored: Path, relative: Path, *, owners: bool) -> Iterator[str]:
    expected, found = source.lstat(), restored.lstat()
    facts = ["st_mode", "st_mtime_ns"] + (["st_uid", "st_gid"] if owners else [])
    if stat.S_ISREG(expected.st_mode):
        facts.append("st_size")
    if stat.S_ISCHR(expected.st_mode) or stat.S_ISBLK(expected.st_mode):
        facts.append("st_rdev")
    for fact in facts:
        if getattr(expected, fact) != getattr(found, fact):
            yield f"{relative}: {fact} is {getattr(found, fact)} instead of {getattr(expected, fact)}"
            return
    if stat.S_ISLNK(expected.st_mode) and source.readlink() != restored.readlink():
        yield f"{relative}: points to {restored.readlink()} instead of {source.readlink()}"
    if stat.S_ISREG(expected.st_mode) and not filecmp.cmp(source, restored, shallow=False):
        yield f"{relative}: content differs"
