"""`domains.cfg`: the realms that users come from (auth.md 2, version-4.md 12).

Only the built-in realms `pam` and `pbs` are read in full; of others it is known that they exist, and how they are
listed.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace

from pbstore.config.config_file import ConfigFile, check_digest
from pbstore.config.file_kind import FileKind
from pbstore.config.roots import Roots
from pbstore.config.section_config import Section, SectionFile

BUILT_IN_COMMENTS = {"pam": "Linux PAM standard authentication", "pbs": "Proxmox Backup authentication server"}
DEFAULT_REALM = "pam"
_TRUE = ("1", "true", "yes", "on")


@dataclass(frozen=True)
class RealmConfig:
    """What all realms have; a default realm is the one that a login form proposes."""

    realm: str
    realm_type: str
    comment: str | None = None
    is_default: bool = False


@dataclass(frozen=True)
class DomainsCfg:
    """The whole file. The built-in realms are always there, even when the file does not name them."""

    realms: Mapping[str, RealmConfig]
    digest: str


class DomainsEdit:
    """Changes under the file's lock."""

    def __init__(self, file: SectionFile):
        self._file = file

    @property
    def current(self) -> DomainsCfg:
        """The realms with the changes so far."""
        return _typed(self._file)

    def put_built_in(self, config: RealmConfig) -> None:
        """Store comment and default of `pam` or `pbs`. At most one realm is the default: any other stops being it."""
        if config.is_default:
            for realm in self.current.realms.values():
                if realm.is_default and realm.realm != config.realm:
                    self._put(replace(realm, is_default=False))
        self._put(config)

    def _put(self, config: RealmConfig) -> None:
        section = self._file.get(config.realm)
        old = [(entry.key, entry.value) for entry in section.properties] if section else [("type", config.realm_type)]
        lines = [(key, value) for key, value in old if key not in ("comment", "default")]
        if config.comment is not None:
            lines.append(("comment", config.comment))
        if config.is_default:
            lines.append(("default", "true"))
        self._file.put(config.realm_type, config.realm, lines)


class DomainsFile:
    """The file on disk."""

    def __init__(self, roots: Roots):
        self._file = ConfigFile(roots.config_dir / "domains.cfg", FileKind.CONFIG)

    def load(self) -> DomainsCfg:
        """Read the file.

        Raises:
            ConfigError: it is no section file.
        """
        return _typed(SectionFile.parse(self._file.read(), self._file.path))

    @contextmanager
    def edit(self, digest: str | None = None) -> Iterator[DomainsEdit]:
        """Lock the file and yield its edit; written when the block ends without an exception.

        Raises:
            ConfigError: the digest is not that of the file, or the file cannot be used.
            LockedError: somebody else changes it.
        """
        with self._file.locked():
            content = self._file.read()
            file = SectionFile.parse(content, self._file.path)
            check_digest(digest, file.digest)
            yield DomainsEdit(file)
            rendered = file.render()
            if rendered != content:
                self._file.replace(rendered)


def _typed(file: SectionFile) -> DomainsCfg:
    found = {section.section_id: _realm(section) for section in file.sections}
    has_default = any(realm.is_default for realm in found.values())
    realms = {
        # A realm that the file does not name is as it was before realms could be changed.
        name: found.pop(name, RealmConfig(name, name, comment, name == DEFAULT_REALM and not has_default))
        for name, comment in BUILT_IN_COMMENTS.items()
    }
    return DomainsCfg({**realms, **found}, file.digest)


def _realm(section: Section) -> RealmConfig:
    is_default = (section.get("default") or "").lower() in _TRUE
    return RealmConfig(section.section_id, section.section_type, section.get("comment"), is_default)
