"""Typed reading and locked, digest-guarded changing of a section file; each such file's module builds on it."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from pbstore.config.config_file import ConfigFile, check_digest
from pbstore.config.section_config import ConfigWarning, SectionFile
from pbstore.config.section_schema import SectionSchema, Value


@dataclass(frozen=True)
class TypedSection:
    """A section whose type is known; `values` are by wire key, `where` is file and line for messages."""

    section_type: str
    section_id: str
    values: Mapping[str, Value]
    where: str


@dataclass(frozen=True)
class LoadedSections:
    """All known sections in file order."""

    sections: tuple[TypedSection, ...]
    digest: str
    warnings: tuple[ConfigWarning, ...]


class SectionEdit:
    """Changes to a file that is locked."""

    def __init__(self, file: SectionFile, schemas: Mapping[str, SectionSchema]):
        self._file = file
        self._schemas = schemas

    def put(self, section_type: str, section_id: str, values: Mapping[str, Value | None]) -> None:
        """Replace or append a section; None leaves a key out, keys that nobody knows stay.

        Raises:
            ConfigError: a key that the type has not, or a value that cannot be written.
        """
        old = self._file.get(section_id)
        kept = old.properties if old and old.section_type == section_type else ()
        self._file.put(section_type, section_id, self._schemas[section_type].write(values, kept))

    def remove(self, section_id: str) -> None:
        """Take a section out."""
        self._file.remove(section_id)


class SectionStore:
    """A section file with its section types."""

    def __init__(self, file: ConfigFile, schemas: Sequence[SectionSchema]):
        self._config_file = file
        self._schemas = {schema.section_type: schema for schema in schemas}

    def load(self) -> LoadedSections:
        """Read the file.

        Raises:
            ConfigError: it cannot be used.
        """
        return self._typed(self._parse(self._config_file.read()))

    @contextmanager
    def edit(self, digest: str | None = None) -> Iterator[tuple[LoadedSections, SectionEdit]]:
        """Lock the file and yield what is in it, and its edit; written when the block ends without an exception.

        Raises:
            ConfigError: the digest is not that of the file any more, or the file cannot be used.
            LockedError: somebody else changes it.
        """
        with self._config_file.locked():
            content = self._config_file.read()
            file = self._parse(content)
            check_digest(digest, file.digest)
            yield self._typed(file), SectionEdit(file, self._schemas)
            rendered = file.render()
            if rendered != content:
                self._config_file.replace(rendered)

    def _parse(self, content: bytes) -> SectionFile:
        return SectionFile.parse(content, self._config_file.path)

    def _typed(self, file: SectionFile) -> LoadedSections:
        path = self._config_file.path
        warnings = list(file.warnings)
        sections = []
        for section in file.sections:
            schema = self._schemas.get(section.section_type)
            if schema is None:
                text = f"section of unknown type '{section.section_type}' is ignored"
                warnings.append(ConfigWarning(path, section.line, text))
                continue
            values = schema.read(section, path, warnings)
            sections.append(TypedSection(section.section_type, section.section_id, values, f"{path}:{section.line}"))
        return LoadedSections(tuple(sections), file.digest, tuple(warnings))
