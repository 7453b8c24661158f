"""Which repository to use: option, component options, variable, credential, component variables (version-4.md 17)."""

from collections.abc import Mapping
from dataclasses import dataclass

from pbstore.client.repository import RepositorySpec, server_name_of
from pbstore.client.secrets import read_credential
from pbstore.errors import FormatError, PbstoreError
from pbstore.model.auth_id import AuthId
from pbstore.model.names import check_safe_id


@dataclass(frozen=True, kw_only=True)
class RepositoryOptions:
    """What the command line says; all None when it says nothing."""

    repository: str | None = None
    server: str | None = None
    port: int | None = None
    datastore: str | None = None
    auth_id: str | None = None

    @property
    def has_components(self) -> bool:
        """Whether any of the single options was given."""
        return any(value is not None for value in (self.server, self.port, self.datastore, self.auth_id))


def find_repository(options: RepositoryOptions, environment: Mapping[str, str]) -> RepositorySpec | None:
    """Return the repository, None when nothing names one.

    Raises:
        PbstoreError: options that exclude each other, components without a datastore.
        FormatError: a value that does not parse.
    """
    if options.repository is not None:
        if options.has_components:
            raise PbstoreError("--repository and --server/--port/--datastore/--auth-id are mutually exclusive")
        return RepositorySpec.parse(options.repository)
    if options.has_components:
        return _from_components(options, environment)
    url = environment.get("PBS_REPOSITORY") or read_credential("repository", environment)
    if url:
        return RepositorySpec.parse(url)
    if environment.get("PBS_DATASTORE"):
        return _from_components(options, environment)
    return None


def choose_repository(options: RepositoryOptions, environment: Mapping[str, str]) -> RepositorySpec:
    """As `find_repository`, but there must be one.

    Raises:
        PbstoreError: nothing names a repository.
    """
    repository = find_repository(options, environment)
    if repository is None:
        raise PbstoreError("unable to get (default) repository: give --repository or set PBS_REPOSITORY")
    return repository


def _from_components(options: RepositoryOptions, environment: Mapping[str, str]) -> RepositorySpec:
    datastore = options.datastore or environment.get("PBS_DATASTORE")
    if not datastore:
        raise PbstoreError("--datastore is required when not using --repository")
    server = options.server or environment.get("PBS_SERVER") or None
    auth_id = options.auth_id or environment.get("PBS_AUTH_ID") or None
    return RepositorySpec(
        datastore=check_safe_id(datastore, "datastore name"),
        auth_id=AuthId.parse(auth_id) if auth_id else None,
        host=server_name_of(server) if server else None,
        port=options.port or _port(environment.get("PBS_PORT")),
    )


def _port(text: str | None) -> int | None:
    if not text:
        return None
    if text.isascii() and text.isdigit() and 1 <= int(text[:6]) <= 65535:
        return int(text)
    raise FormatError(f"PBS_PORT is '{text}': expected a port number")
