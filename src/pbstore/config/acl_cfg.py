"""`acl.cfg`: which roles an id has on which path (config-files.md 3)."""

import re
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pbstore.config.config_file import ConfigFile, check_digest, content_digest
from pbstore.config.file_kind import FileKind
from pbstore.config.roots import Roots
from pbstore.errors import ConfigError

NO_ACCESS = "NoAccess"
_NEVER_WRITTEN = "root@pam"
_PATH = re.compile(r"/|(?:/[A-Za-z0-9_][A-Za-z0-9._\-]*)+")
_UGID = re.compile(r"@?[^\s:,]+")
_ROLE = re.compile(r"[A-Za-z0-9]+")


@dataclass(frozen=True, order=True)
class AclEntry:
    """One id (or `@group`), one role, one path."""

    path: str
    ugid: str
    role: str
    propagate: bool = True


@dataclass(frozen=True)
class AclCfg:
    """The whole file, an entry for each id and role of a line."""

    entries: frozenset[AclEntry]
    digest: str


class AclEdit:
    """Changes under the file's lock."""

    def __init__(self, entries: Collection[AclEntry]):
        self.entries = set(entries)

    def grant(self, path: str, ugid: str, role: str, *, propagate: bool = True) -> None:
        """Give a role. `NoAccess` takes the other roles of the id there away, another role takes `NoAccess` away."""
        same_id = {entry for entry in self.entries if entry.path == path and entry.ugid == ugid}
        self.entries -= {entry for entry in same_id if entry.role == role or NO_ACCESS in (entry.role, role)}
        self.entries.add(AclEntry(path, ugid, role, propagate))

    def revoke(self, path: str, ugid: str, role: str) -> None:
        """Take a role of an id on a path away, if it is there."""
        self.entries -= {AclEntry(path, ugid, role, propagate) for propagate in (False, True)}

    def drop(self, ugid: str) -> None:
        """Take all entries of an id away."""
        self.entries = {entry for entry in self.entries if entry.ugid != ugid}

    def drop_path(self, path: str) -> None:
        """Take all entries on a path and below away."""
        self.entries = {entry for entry in self.entries if entry.path != path and not entry.path.startswith(f"{path}/")}


class AclFile:
    """The file on disk. It is written whole and in the original's order: it has no place for comments."""

    def __init__(self, roots: Roots):
        self._file = ConfigFile(roots.config_dir / "acl.cfg", FileKind.CONFIG)

    def load(self) -> AclCfg:
        """Read the file.

        Raises:
            ConfigError: a line that is no entry; rights that cannot be read are never guessed.
        """
        content = self._file.read()
        return AclCfg(frozenset(_parse(content, self._file.path)), content_digest(content))

    @contextmanager
    def edit(self, digest: str | None = None) -> Iterator[AclEdit]:
        """Lock the file and yield its edit; written when the block ends without an exception.

        Raises:
            ConfigError: the digest is not that of the file, or the file cannot be used.
            LockedError: somebody else changes it.
        """
        with self._file.locked():
            content = self._file.read()
            check_digest(digest, content_digest(content))
            entries = frozenset(_parse(content, self._file.path))
            edit = AclEdit(entries)
            yield edit
            if edit.entries != entries:
                self._file.replace(render(edit.entries))


def render(entries: Iterable[AclEntry]) -> bytes:
    """Return the file's content: depth first, entries with the same ids on one line."""
    nodes: dict[tuple[tuple[str, ...], bool], dict[str, set[str]]] = {}
    for entry in entries:
        if entry.ugid != _NEVER_WRITTEN:
            node = nodes.setdefault((_components(entry.path), entry.propagate), {})
            node.setdefault(entry.role, set()).add(entry.ugid)
    lines = []
    for (components, propagate), ids_of_role in sorted(nodes.items()):
        roles_of_ids: dict[str, set[str]] = {}
        for role, ids in ids_of_role.items():
            roles_of_ids.setdefault(",".join(sorted(ids)), set()).add(role)
        for ids_text, roles in sorted(roles_of_ids.items()):
            role_text = NO_ACCESS if NO_ACCESS in roles else ",".join(sorted(roles))
            lines.append(f"acl:{int(propagate)}:/{'/'.join(components)}:{ids_text}:{role_text}\n")
    return "".join(lines).encode()


def _parse(content: bytes, path: Path) -> Iterator[AclEntry]:
    try:
        lines = content.decode().split("\n")
    except UnicodeDecodeError:
        raise ConfigError(f"{path}: not UTF-8") from None
    for number, line in enumerate(lines, start=1):
        if line.strip():
            yield from _parse_line(line.strip(), f"{path}:{number}")


def _parse_line(line: str, where: str) -> Iterator[AclEntry]:
    fields = [field.strip() for field in line.split(":")]
    if len(fields) != 5 or fields[0] != "acl" or fields[1] not in ("0", "1") or not _PATH.fullmatch(fields[2]):
        raise ConfigError(f"{where}: expected acl:<0|1>:<path>:<ids>:<roles>")
    for ugid in fields[3].split(","):
        for role in fields[4].split(","):
            if not _UGID.fullmatch(ugid.strip()) or not _ROLE.fullmatch(role.strip()):
                raise ConfigError(f"{where}: expected acl:<0|1>:<path>:<ids>:<roles>")
            yield AclEntry(fields[2], ugid.strip(), role.strip(), fields[1] == "1")


def _components(path: str) -> tuple[str, ...]:
    return tuple(part for part in path.split("/") if part)
